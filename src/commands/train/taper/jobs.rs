//! The trainings of one round, on all cores: one thread for each training, the longest first.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use anyhow::Context as _;
use crossbeam_channel::unbounded;

use super::Sized;
use super::book::{Book, Entry};
use crate::clock::{Clock as _, SystemClock, Time};
use crate::commands::train::settings::Recipe;
use crate::config::manifest::Normalise;
use crate::train::Network;
use crate::train::fit::{Fit, Go, Plan};

/// One training.
#[derive(Debug, Clone, Copy)]
pub(super) struct Job<'a> {
    /// Number of the network.
    pub(super) at: usize,
    pub(super) network: &'a Network,
    pub(super) split: usize,
    pub(super) epochs: u32,
}

/// What all trainings share.
pub(super) struct Table<'a> {
    pub(super) sized: &'a [Sized],
    pub(super) recipe: &'a Recipe,
    pub(super) normalise: Normalise,
    pub(super) stop: &'a AtomicBool,
    /// When the search began, and after how many seconds no training starts any more.
    pub(super) begin: Time,
    pub(super) seconds: Option<f64>,
}

impl Table<'_> {
    fn fit(&self, job: &Job<'_>) -> Option<Fit<'_>> {
        let sized = self.sized.iter().find(|sized| sized.size == job.network.input())?;
        let (split, normal) = sized.splits.get(job.split)?;
        let plan = self.recipe.plan(job.epochs, self.normalise, split.train.len());
        let plan = Plan { threads: 1, ..plan };
        Some(Fit::new(job.network.clone(), plan, &sized.loaded.pictures, split, *normal))
    }

    /// By which a training is known in the book.
    pub(super) fn print(&self, job: &Job<'_>) -> String {
        self.fit(job).map_or_else(String::new, |fit| format!("{:016x}", fit.print()))
    }

    /// Whether nothing new is to be begun.
    fn is_over(&self) -> bool {
        let late = self.seconds.is_some_and(|most| SystemClock.now().seconds_since(self.begin) > most);
        late || self.stop.load(Ordering::Relaxed)
    }

    /// Does the jobs that are not in the book; `false` when it was stopped before all were.
    pub(super) fn work(&self, jobs: &[Job<'_>], book: &mut Book) -> anyhow::Result<bool> {
        let mut open: Vec<Job<'_>> =
            jobs.iter().filter(|job| book.get(&self.print(job)).is_none()).copied().collect();
        open.sort_by_key(|job| std::cmp::Reverse(job.network.multiply_adds()));
        let (next, mut done) = (AtomicUsize::new(0), jobs.len() - open.len());
        let (send, receive) = unbounded::<Entry>();
        let worker = || {
            while let Some(job) = open.get(next.fetch_add(1, Ordering::Relaxed)).filter(|_| !self.is_over()) {
                let Some(entry) = self.train(job) else { break };
                if send.send(entry).is_err() {
                    break;
                }
            }
        };
        let mut written = Ok(());
        thread::scope(|scope| {
            let start = || thread::Builder::new().name("taper".to_owned()).spawn_scoped(scope, worker);
            let threads = self.recipe.threads().min(open.len());
            let handles = (0..threads).map(|_| start()).collect::<Result<Vec<_>, _>>();
            let handles = handles.context("the system grants no more threads")?;
            let running = || handles.iter().any(|handle| !handle.is_finished());
            while running() || !receive.is_empty() {
                let Ok(entry) = receive.recv_timeout(std::time::Duration::from_millis(100)) else { continue };
                done += 1;
                eprintln!(
                    "{:>4}/{}  ROC AUC {:.4}  accuracy {:.4}  {:>5.0} s  split {}  {} at {}",
                    done,
                    jobs.len(),
                    entry.auc,
                    entry.accuracy,
                    entry.seconds,
                    entry.split + 1,
                    entry.network,
                    entry.size
                );
                if let Err(error) = book.add(entry) {
                    self.stop.store(true, Ordering::Relaxed);
                    written = Err(error);
                }
            }
            for handle in handles {
                if let Err(panic) = handle.join() {
                    std::panic::resume_unwind(panic);
                }
            }
            anyhow::Ok(())
        })?;
        written?;
        Ok(jobs.iter().all(|job| book.get(&self.print(job)).is_some()))
    }

    /// One training from the beginning; `None` when it was stopped.
    fn train(&self, job: &Job<'_>) -> Option<Entry> {
        let begin = SystemClock.now();
        let mut fit = self.fit(job)?;
        while fit.epoch() < job.epochs {
            fit.run_epoch(|_| if self.stop.load(Ordering::Relaxed) { Go::Stop } else { Go::On })?;
        }
        let quality = fit.best()?.quality;
        Some(Entry {
            print: format!("{:016x}", fit.print()),
            network: job.network.to_string(),
            size: job.network.input().height,
            split: job.split,
            epochs: job.epochs,
            auc: quality.auc,
            accuracy: quality.accuracy,
            escapes: quality.escapes,
            false_rejects: quality.false_rejects,
            seconds: SystemClock.now().seconds_since(begin),
        })
    }
}
