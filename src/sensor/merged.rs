//! Several sources as one: their events in time order.

use std::sync::Arc;

use super::{SensorError, SensorEvent, SensorSource};
use crate::clock::{Clock, Time};

/// See the module.
pub struct Merged {
    sources: Vec<Box<dyn SensorSource>>,
    clock: Arc<dyn Clock>,
}

impl Merged {
    /// Of these sources, whose stamps are on `clock`.
    pub fn new(sources: Vec<Box<dyn SensorSource>>, clock: Arc<dyn Clock>) -> Self {
        Self { sources, clock }
    }
}

impl SensorSource for Merged {
    /// `None` as soon as one of the sources waits by itself.
    fn due(&self) -> Option<Time> {
        let dues: Option<Vec<Time>> = self.sources.iter().map(|source| source.due()).collect();
        dues?.into_iter().min()
    }

    fn poll(&mut self, now: Time, events: &mut Vec<SensorEvent>) -> Result<(), SensorError> {
        let first = events.len();
        let mut until = now;
        for source in self.sources.iter_mut().filter(|source| source.due().is_none()) {
            source.poll(now, events)?;
            // It may have waited, and may tell of what happened meanwhile: the others must catch up.
            until = self.clock.now().max(now);
        }
        for source in self.sources.iter_mut().filter(|source| source.due().is_some_and(|due| due <= until)) {
            source.poll(until, events)?;
        }
        events[first..].sort_by_key(SensorEvent::at);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SimClock;

    fn t(ms: u64) -> Time {
        Time::from_nanos(ms * 1_000_000)
    }

    /// Tells of a part at each of its moments, as a source whose moments are known or as one that waits.
    struct Parts {
        moments: Vec<u64>,
        waits: Option<Arc<SimClock>>,
    }

    impl SensorSource for Parts {
        fn due(&self) -> Option<Time> {
            let next = self.moments.first().map_or(Time::MAX, |ms| t(*ms));
            self.waits.is_none().then_some(next)
        }

        fn poll(&mut self, mut now: Time, events: &mut Vec<SensorEvent>) -> Result<(), SensorError> {
            if let Some(clock) = &self.waits {
                clock.advance_to(now + std::time::Duration::from_millis(5));
                now = clock.now();
            }
            let past = self.moments.iter().take_while(|ms| t(**ms) <= now).count();
            events.extend(self.moments.drain(..past).map(|ms| SensorEvent::PartArrived { at: t(ms) }));
            Ok(())
        }
    }

    fn moments(events: &[SensorEvent]) -> Vec<u64> {
        events.iter().map(|event| event.at().as_nanos() / 1_000_000).collect()
    }

    #[test]
    fn sources_whose_moments_are_known_are_asked_when_the_first_is_due() {
        let source = |moments: &[u64]| Box::new(Parts { moments: moments.to_vec(), waits: None }) as Box<_>;
        let mut merged =
            Merged::new(vec![source(&[30, 70]), source(&[10, 20, 90])], Arc::new(SimClock::default()));
        assert_eq!(merged.due(), Some(t(10)));
        let mut events = Vec::new();
        merged.poll(t(80), &mut events).unwrap();
        assert_eq!(moments(&events), [10, 20, 30, 70]);
        assert_eq!(merged.due(), Some(t(90)));
    }

    #[test]
    fn what_happens_while_one_source_waits_comes_in_order() {
        let clock = Arc::new(SimClock::default());
        let known = Parts { moments: vec![1, 3, 7], waits: None };
        let waits = Parts { moments: vec![2, 4, 6, 8], waits: Some(clock.clone()) };
        let mut merged = Merged::new(vec![Box::new(known), Box::new(waits)], clock.clone());
        assert_eq!(merged.due(), None);
        let mut events = Vec::new();
        merged.poll(t(0), &mut events).unwrap();
        assert_eq!(moments(&events), [1, 2, 3, 4]);
        merged.poll(clock.now(), &mut events).unwrap();
        assert_eq!(moments(&events), [1, 2, 3, 4, 6, 7, 8]);
    }
}
