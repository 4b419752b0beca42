//! All-reduce: sums over the workers of one training step, in fixed order, so that the same threads always give the same weights.
//!
//! Owns the meeting point. Must not know what is summed.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// A worker has panicked: the sum will never be complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Broken;

/// Where a fixed number of workers bring their parts of a sum and wait for the whole.
#[derive(Debug)]
pub(super) struct AllReduce {
    state: Mutex<State>,
    complete: Condvar,
}

#[derive(Debug)]
struct State {
    parts: Vec<Vec<f64>>,
    arrived: usize,
    total: Vec<f64>,
    round: u64,
    broken: bool,
}

impl AllReduce {
    /// For this many workers.
    pub(super) fn new(workers: usize) -> Self {
        let state = State {
            parts: vec![Vec::new(); workers],
            arrived: 0,
            total: Vec::new(),
            round: 0,
            broken: false,
        };
        Self { state: Mutex::new(state), complete: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Replaces `part` by the sum of every worker's, added in the order of the workers. Waits for all of them.
    ///
    /// # Errors
    /// [`Broken`] when a worker that is yet to come has panicked.
    pub(super) fn sum(&self, worker: usize, part: &mut [f64]) -> Result<(), Broken> {
        let mut state = self.lock();
        state.parts[worker].clear();
        state.parts[worker].extend_from_slice(part);
        state.arrived += 1;
        let round = state.round;
        if state.arrived == state.parts.len() {
            let State { parts, total, .. } = &mut *state;
            total.clear();
            total.resize(part.len(), 0.0);
            for part in parts.iter() {
                total.iter_mut().zip(part).for_each(|(total, value)| *total += value);
            }
            state.arrived = 0;
            state.round += 1;
            self.complete.notify_all();
        } else {
            let unfinished = |state: &mut State| state.round == round && !state.broken;
            state = self.complete.wait_while(state, unfinished).unwrap_or_else(PoisonError::into_inner);
        }
        if state.round == round {
            return Err(Broken);
        }
        part.copy_from_slice(&state.total);
        Ok(())
    }

    /// Held by a worker while it works: should it panic, those who wait for it are told.
    pub(super) fn presence(&self) -> Presence<'_> {
        Presence(self)
    }
}

/// See [`AllReduce::presence`].
#[derive(Debug)]
pub(super) struct Presence<'a>(&'a AllReduce);

impl Drop for Presence<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.lock().broken = true;
            self.0.complete.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_worker_gets_the_same_sum_round_after_round() {
        let all_reduce = AllReduce::new(3);
        let sums: Vec<Vec<f64>> = std::thread::scope(|scope| {
            let all_reduce = &all_reduce;
            let work = move |worker: usize| {
                let mut seen = Vec::new();
                for round in 0..50 {
                    let mut part = [worker as f64, f64::from(round)];
                    all_reduce.sum(worker, &mut part).unwrap();
                    seen.extend(part);
                }
                seen
            };
            let workers: Vec<_> = (0..3).map(|worker| scope.spawn(move || work(worker))).collect();
            workers.into_iter().map(|worker| worker.join().unwrap()).collect()
        });
        assert_eq!(sums[0][..4], [3.0, 0.0, 3.0, 3.0]);
        assert!(sums.iter().all(|sum| *sum == sums[0]));
    }

    #[test]
    fn a_worker_that_panics_leaves_nobody_waiting() {
        let all_reduce = AllReduce::new(2);
        std::thread::scope(|scope| {
            let all_reduce = &all_reduce;
            let waits = scope.spawn(move || all_reduce.sum(0, &mut [1.0]));
            let panics = scope.spawn(move || {
                let _presence = all_reduce.presence();
                std::panic::resume_unwind(Box::new("on purpose"));
            });
            assert!(panics.join().is_err());
            assert_eq!(waits.join().unwrap(), Err(Broken));
        });
    }
}
