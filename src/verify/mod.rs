//! The guided fail-safe test: what is asked for, step by step, and whether the line did what it must.
//!
//! After the practice of metal detectors: three defective parts in a row, then defective, clean, defective; then the camera, the confirm
//! sensor and the broker are taken away. Pure: must not know devices, threads or who carries a step out.

mod report;

use std::sync::Arc;

use crate::clock::Time;
use crate::config::Sees;
use crate::decide::{Outcome, PartRecord, StopReason};
use crate::verdict::{Reason, Truth, Verdict};

pub use report::{Meta, report};

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// Three defective parts in a row.
    ThreeDefective,
    /// A defective part, a clean one, a defective one.
    Sandwich,
    /// A part while the camera is unplugged.
    CameraUnplugged,
    /// A clean part when the camera is back.
    CameraBack,
    /// A part that the confirm sensor should see, while it is covered.
    ConfirmBlocked,
    /// A defective and a clean part while the broker is stopped.
    BrokerStopped,
}

/// What somebody, or the demonstration line itself, is to do before a step's parts come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handling {
    /// Nothing.
    None,
    /// Unplug the camera.
    UnplugCamera,
    /// Plug it in again.
    PlugCamera,
    /// Cover the confirm sensor.
    BlockConfirm,
    /// Uncover the confirm sensor, and stop the broker.
    StopBroker,
}

impl Step {
    /// Every step, in order.
    pub const ALL: [Step; 6] = [
        Step::ThreeDefective,
        Step::Sandwich,
        Step::CameraUnplugged,
        Step::CameraBack,
        Step::ConfirmBlocked,
        Step::BrokerStopped,
    ];

    /// Its name in the report.
    pub const fn name(self) -> &'static str {
        match self {
            Step::ThreeDefective => "three defective parts in a row",
            Step::Sandwich => "defective, clean, defective",
            Step::CameraUnplugged => "camera unplugged",
            Step::CameraBack => "camera plugged in again",
            Step::ConfirmBlocked => "confirm sensor blocked",
            Step::BrokerStopped => "broker stopped",
        }
    }

    /// What a person is to do, where the confirm sensor sees these parts.
    pub const fn instruction(self, sees: Option<Sees>) -> &'static str {
        match self {
            Step::ThreeDefective => "put three defective test parts on the belt, one after the other",
            Step::Sandwich => "put a defective test part on the belt, then a clean one, then a defective one",
            Step::CameraUnplugged => "unplug the camera, then put a clean part on the belt",
            Step::CameraBack => {
                "plug the camera in again, wait for three seconds, then put a clean part on the belt"
            }
            Step::ConfirmBlocked => match sees {
                Some(Sees::Passed) => "cover the confirm sensor, then put a clean part on the belt",
                _ => "cover the confirm sensor, then put a defective test part on the belt",
            },
            Step::BrokerStopped => {
                "uncover the confirm sensor, stop the broker or pull the network cable, then put a defective test part on the belt and \
                 a clean one behind it"
            }
        }
    }

    /// What is to be handled before its parts come.
    pub const fn handling(self) -> Handling {
        match self {
            Step::ThreeDefective | Step::Sandwich => Handling::None,
            Step::CameraUnplugged => Handling::UnplugCamera,
            Step::CameraBack => Handling::PlugCamera,
            Step::ConfirmBlocked => Handling::BlockConfirm,
            Step::BrokerStopped => Handling::StopBroker,
        }
    }

    /// What its parts are, where the confirm sensor sees these parts.
    pub const fn parts(self, sees: Option<Sees>) -> &'static [Truth] {
        match self {
            Step::ThreeDefective => &[Truth::Defect, Truth::Defect, Truth::Defect],
            Step::Sandwich => &[Truth::Defect, Truth::Ok, Truth::Defect],
            Step::CameraUnplugged | Step::CameraBack => &[Truth::Ok],
            Step::ConfirmBlocked => match sees {
                Some(Sees::Passed) => &[Truth::Ok],
                _ => &[Truth::Defect],
            },
            Step::BrokerStopped => &[Truth::Defect, Truth::Ok],
        }
    }

    /// What is wrong with what became of its part number `index`, if anything, where the confirm sensor sees these parts.
    fn wrong(self, index: usize, record: &PartRecord, sees: Option<Sees>) -> Option<String> {
        let defective = self.parts(sees)[index] == Truth::Defect;
        let left = record.outcome;
        let rejected = matches!(record.verdict, Verdict::Reject(_));
        let confirmed =
            left == Outcome::RejectedConfirmed || (sees.is_none() && left == Outcome::RejectedUnconfirmed);
        match self {
            Step::CameraUnplugged if !rejected || left == Outcome::Passed => {
                Some("it passed without a camera".to_owned())
            }
            Step::CameraUnplugged => {
                (!confirmed).then(|| format!("it was to be removed, and is {}", told(record)))
            }
            Step::ConfirmBlocked if !defective => {
                (left != Outcome::Passed).then(|| format!("it was to pass unseen, and is {}", told(record)))
            }
            Step::ConfirmBlocked => (left != Outcome::RejectedUnconfirmed)
                .then(|| format!("it is {} although the sensor was covered", left.name())),
            _ if defective => (!confirmed || record.verdict.reason() == Some(Reason::CameraLost))
                .then(|| format!("it was to be removed as a defect, and is {}", told(record))),
            _ => (left != Outcome::Passed).then(|| format!("it was to pass, and is {}", told(record))),
        }
    }
}

fn told(record: &PartRecord) -> String {
    match record.verdict.reason() {
        Some(reason) => format!("{}, rejected for {reason}", record.outcome.name()),
        None => record.outcome.name().to_owned(),
    }
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Ending {
    /// The line did what it must.
    Passed,
    /// It did not: what happened.
    Failed(String),
    /// It could not be tried: why.
    Skipped(&'static str),
}

/// A step that is over.
#[derive(Debug, Clone)]
pub struct Ended {
    /// The step.
    pub step: Step,
    /// How it ended.
    pub ending: Ending,
    /// The records of its parts.
    pub parts: Vec<Arc<PartRecord>>,
}

/// How the parts of a step are told from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watching {
    /// The parts that come after the instruction are the step's: a person puts them there.
    Next,
    /// The belt brings parts all the time, and their truth is known: the step's are the first that follow one another as asked for.
    Truth,
}

/// Watches a step.
#[derive(Debug)]
pub struct Watch {
    step: Step,
    how: Watching,
    /// Parts whose trigger was before this are not the step's.
    since: Time,
    /// Which parts the confirm sensor sees, if there is one.
    sees: Option<Sees>,
    seen: Vec<Arc<PartRecord>>,
    stopped: Option<StopReason>,
}

impl Watch {
    /// Begins to watch a step at `since`, where the confirm sensor, if there is one, sees these parts.
    pub fn new(step: Step, how: Watching, since: Time, sees: Option<Sees>) -> Self {
        Self { step, how, since, sees, seen: Vec::new(), stopped: None }
    }

    /// A line stop began.
    pub fn on_line_stop(&mut self, reason: StopReason) {
        self.stopped = self.stopped.or(Some(reason));
    }

    /// A part has left. Gives the end of the step when that was its last one.
    pub fn on_part(&mut self, record: &Arc<PartRecord>) -> Option<Ended> {
        if record.triggered_at < self.since || record.outcome == Outcome::UnresolvedAtStop {
            return None;
        }
        self.seen.push(record.clone());
        let wanted = self.step.parts(self.sees);
        if self.how == Watching::Truth {
            let fits = |parts: &[Arc<PartRecord>]| {
                parts.iter().zip(wanted).all(|(part, truth)| part.truth == Some(*truth))
            };
            while !self.seen.is_empty() && !fits(&self.seen) {
                self.seen.remove(0);
            }
        }
        if self.seen.len() < wanted.len() {
            return None;
        }
        let wrong = self.seen.iter().enumerate().find_map(|(index, part)| {
            self.step.wrong(index, part, self.sees).map(|what| format!("part {}: {what}", part.number))
        });
        let silent = self.step == Step::ConfirmBlocked && self.stopped.is_none();
        let ending = match wrong {
            Some(what) => Ending::Failed(what),
            None if silent => {
                Ending::Failed("no line stop although the confirm sensor saw nothing".to_owned())
            }
            None => Ending::Passed,
        };
        Some(Ended { step: self.step, ending, parts: std::mem::take(&mut self.seen) })
    }

    /// The step took too long, or the line was over before it.
    pub fn give_up(self, over: bool) -> Ended {
        let (seen, wanted) = (self.seen.len(), self.step.parts(self.sees).len());
        let what = if over {
            format!("the line ended after {seen} of {wanted} parts")
        } else {
            format!("only {seen} of {wanted} parts came in time")
        };
        Ended { step: self.step, ending: Ending::Failed(what), parts: self.seen }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::PartNumber;

    fn part(number: u64, truth: Truth, outcome: Outcome) -> Arc<PartRecord> {
        let verdict = if outcome == Outcome::Passed { Verdict::Ok } else { Verdict::Reject(Reason::Defect) };
        let at = Time::ZERO.plus_s(number as f64);
        Arc::new(PartRecord {
            outcome,
            verdict,
            truth: Some(truth),
            ..PartRecord::opened(PartNumber(number), at)
        })
    }

    #[test]
    fn the_next_parts_are_those_of_a_person() {
        let mut watch =
            Watch::new(Step::Sandwich, Watching::Next, Time::ZERO.plus_s(2.0), Some(Sees::Removed));
        let removed = Outcome::RejectedConfirmed;
        assert!(watch.on_part(&part(1, Truth::Ok, Outcome::Passed)).is_none(), "from before the instruction");
        assert!(watch.on_part(&part(2, Truth::Defect, removed)).is_none());
        assert!(watch.on_part(&part(3, Truth::Ok, Outcome::Passed)).is_none());
        assert_eq!(watch.on_part(&part(4, Truth::Defect, removed)).unwrap().ending, Ending::Passed);
    }

    #[test]
    fn on_a_belt_that_never_ends_the_parts_are_found_by_what_they_are() {
        let mut watch = Watch::new(Step::ThreeDefective, Watching::Truth, Time::ZERO, Some(Sees::Removed));
        let mut ends = Vec::new();
        for (n, truth) in
            [Truth::Defect, Truth::Ok, Truth::Defect, Truth::Defect, Truth::Defect].into_iter().enumerate()
        {
            let outcome = if truth == Truth::Ok { Outcome::Passed } else { Outcome::RejectedConfirmed };
            ends.extend(watch.on_part(&part(n as u64, truth, outcome)));
        }
        let numbers: Vec<u64> = ends[0].parts.iter().map(|p| p.number.0).collect();
        assert_eq!((ends.len(), numbers, ends[0].ending.clone()), (1, vec![2, 3, 4], Ending::Passed));
    }

    #[test]
    fn what_went_wrong_is_told() {
        let mut watch = Watch::new(Step::ConfirmBlocked, Watching::Next, Time::ZERO, Some(Sees::Removed));
        let ended = watch.on_part(&part(1, Truth::Defect, Outcome::RejectedUnconfirmed)).unwrap();
        assert_eq!(
            ended.ending,
            Ending::Failed("no line stop although the confirm sensor saw nothing".to_owned())
        );
        let mut watch = Watch::new(Step::ConfirmBlocked, Watching::Next, Time::ZERO, Some(Sees::Removed));
        watch.on_line_stop(StopReason::RejectMissed);
        assert_eq!(
            watch.on_part(&part(1, Truth::Defect, Outcome::RejectedUnconfirmed)).unwrap().ending,
            Ending::Passed
        );
        let mut watch = Watch::new(Step::CameraUnplugged, Watching::Next, Time::ZERO, Some(Sees::Removed));
        let ended = watch.on_part(&part(3, Truth::Ok, Outcome::Passed)).unwrap();
        assert_eq!(ended.ending, Ending::Failed("part 3: it passed without a camera".to_owned()));
        let mut watch = Watch::new(Step::CameraUnplugged, Watching::Next, Time::ZERO, Some(Sees::Removed));
        let ended = watch.on_part(&part(3, Truth::Ok, Outcome::Escaped)).unwrap();
        assert!(matches!(ended.ending, Ending::Failed(what) if what.contains("escaped")));
        let mut watch = Watch::new(Step::ConfirmBlocked, Watching::Next, Time::ZERO, Some(Sees::Passed));
        watch.on_line_stop(StopReason::PassMissed);
        let ended = watch.on_part(&part(4, Truth::Ok, Outcome::Passed)).unwrap();
        assert_eq!(
            ended.ending,
            Ending::Passed,
            "a sensor behind the gate is tested with a part that passes"
        );
        let watch = Watch::new(Step::ThreeDefective, Watching::Next, Time::ZERO, Some(Sees::Removed));
        assert_eq!(watch.give_up(false).ending, Ending::Failed("only 0 of 3 parts came in time".to_owned()));
    }
}
