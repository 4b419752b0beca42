//! The report stage: adds the run up and tells every listener.

use std::sync::Arc;
use std::time::Duration;

use super::counters::Counters;
use super::event::{Event, Listener};
use crate::clock::Time;
use crate::decide::Troubles;
use crate::score::summary::{FrameFigures, Summary, Tally};

/// Time between two summaries.
const SUMMARY_EVERY: Duration = Duration::from_secs(60);

/// Owns the tally and the listeners.
pub(super) struct ReportStage {
    tally: Tally,
    listeners: Vec<Box<dyn Listener>>,
    counters: Arc<Counters>,
    started: Time,
    next_summary: Time,
    troubles: Troubles,
}

impl ReportStage {
    pub(super) fn new(listeners: Vec<Box<dyn Listener>>, counters: Arc<Counters>, now: Time) -> Self {
        Self {
            tally: Tally::default(),
            listeners,
            counters,
            started: now,
            next_summary: now + SUMMARY_EVERY,
            troubles: Troubles::default(),
        }
    }

    /// Takes in an event.
    pub(super) fn step(&mut self, event: &Event) {
        match event {
            Event::Judged { preprocess, infer, decide } => self.tally.frame(*preprocess, *infer, *decide),
            Event::Settled { frame_to_gate } => self.tally.settled(*frame_to_gate),
            Event::Acted { late } => self.tally.acted(*late),
            Event::Part(record) => self.tally.part(record),
            Event::Troubles(troubles) => self.troubles = *troubles,
            Event::Unusable { name, why } => log::warn!("{name} cannot be used: {why}"),
            Event::Ready
            | Event::Opened { .. }
            | Event::LineStop { .. }
            | Event::Position { .. }
            | Event::Summary(_) => {}
        }
        self.listeners.iter_mut().for_each(|listener| listener.hear(event));
    }

    /// When [`ReportStage::on_deadline`] must be called next.
    pub(super) fn next_deadline(&self) -> Time {
        self.next_summary
    }

    /// Sends a summary when it is time.
    pub(super) fn on_deadline(&mut self, now: Time) {
        if now >= self.next_summary {
            self.next_summary = self.next_summary.max(now) + SUMMARY_EVERY;
            let summary = Event::Summary(Arc::new(self.summary(now)));
            self.step(&summary);
        }
    }

    /// The last summary, which every listener hears too.
    pub(super) fn finish(mut self, now: Time) -> Summary {
        self.counters.settle();
        let summary = self.summary(now);
        self.step(&Event::Summary(Arc::new(summary.clone())));
        summary
    }

    fn summary(&self, now: Time) -> Summary {
        let frames = self.counters.read();
        Summary {
            frames: FrameFigures {
                captured: frames.captured,
                inspected: frames.inspected,
                dropped: frames.dropped,
                unusable: frames.unusable,
                missed: frames.missed,
                rate: frames.rate.map(tenths),
                promised_rate: frames.promised_rate.map(tenths),
            },
            troubles: self.troubles,
            lost_events: frames.lost_events,
            seconds: (now - self.started).as_secs_f64(),
            ..self.tally.summary()
        }
    }
}

fn tenths(rate: f64) -> f64 {
    (rate * 10.0).round() / 10.0
}
