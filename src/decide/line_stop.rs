//! The line stop: which conditions ask for it, and that it stands until somebody resets it.
//!
//! Pure. Counts what the ledger tells about parts that have left.

use std::collections::VecDeque;

use super::{Outcome, PartRecord};
use crate::clock::Time;
use crate::config::LineStop;
use crate::verdict::{Reason, Verdict};

/// Why the line is to stand. [`StopReason::name`] is the stable name in logs and messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StopReason {
    /// Too many rejects one after the other.
    ConsecutiveRejects,
    /// Too large a share of rejects.
    RejectRate,
    /// A part that was to be removed was seen passing, or the gate did not act for it.
    Escape,
    /// The confirm sensor did not see a part that was to be removed.
    RejectMissed,
    /// A part was removed that was to pass, and nobody had commanded it.
    Uncommanded,
    /// The confirm sensor did not see a part that was to pass.
    PassMissed,
    /// The confirm sensor behind the gate saw a part where the ledger knows of none.
    PassUnknown,
    /// The bin for removed parts is full.
    BinFull,
    /// The gate's air pressure is low.
    AirLow,
    /// The part-present sensor is stuck.
    SensorStuck,
    /// The encoder is silent although parts move.
    Encoder,
    /// The gate was in reject for too long.
    GateHeld,
    /// Whether a stop stood when the run before ended cannot be read any more.
    Unknown,
}

impl StopReason {
    /// Every reason.
    pub const ALL: [StopReason; 13] = [
        StopReason::ConsecutiveRejects,
        StopReason::RejectRate,
        StopReason::Escape,
        StopReason::RejectMissed,
        StopReason::Uncommanded,
        StopReason::PassMissed,
        StopReason::PassUnknown,
        StopReason::BinFull,
        StopReason::AirLow,
        StopReason::SensorStuck,
        StopReason::Encoder,
        StopReason::GateHeld,
        StopReason::Unknown,
    ];

    /// The stable name: part of the wire format.
    pub const fn name(self) -> &'static str {
        match self {
            StopReason::ConsecutiveRejects => "consecutive_rejects",
            StopReason::RejectRate => "reject_rate",
            StopReason::Escape => "escape",
            StopReason::RejectMissed => "reject_missed",
            StopReason::Uncommanded => "uncommanded_reject",
            StopReason::PassMissed => "pass_missed",
            StopReason::PassUnknown => "unknown_pass",
            StopReason::BinFull => "bin_full",
            StopReason::AirLow => "air_low",
            StopReason::SensorStuck => "sensor_stuck",
            StopReason::Encoder => "encoder",
            StopReason::GateHeld => "gate_held",
            StopReason::Unknown => "unknown",
        }
    }

    /// The reason with this stable name.
    pub fn named(name: &str) -> Option<StopReason> {
        StopReason::ALL.into_iter().find(|reason| reason.name() == name)
    }

    fn is_wanted(self, rules: &LineStop) -> bool {
        match self {
            StopReason::Escape
            | StopReason::RejectMissed
            | StopReason::Uncommanded
            | StopReason::PassMissed
            | StopReason::PassUnknown => rules.escape,
            StopReason::SensorStuck | StopReason::Encoder | StopReason::GateHeld => rules.device,
            _ => true,
        }
    }
}

/// The latch and what leads to it.
#[derive(Debug, Clone, Default)]
pub(super) struct Latch {
    stopped: Option<(StopReason, Time)>,
    in_a_row: u32,
    last: VecDeque<bool>,
    rejected: u32,
    bin_full: bool,
    air_low: bool,
}

impl Latch {
    /// Why the line is to stand, and since when.
    pub(super) fn stopped(&self) -> Option<(StopReason, Time)> {
        self.stopped
    }

    /// Asks for the stop. `true` when it begins with this; a standing stop keeps its first reason.
    pub(super) fn trip(&mut self, reason: StopReason, now: Time, rules: &LineStop) -> bool {
        let begins = self.stopped.is_none() && reason.is_wanted(rules);
        if begins {
            self.stopped = Some((reason, now));
        }
        begins
    }

    /// A part has left. Gives the reason for a stop that follows from how many parts were rejected.
    pub(super) fn count(&mut self, record: &PartRecord, rules: &LineStop) -> Option<StopReason> {
        let rejected = match record.verdict {
            _ if record.outcome == Outcome::UnresolvedAtStop || self.stopped.is_some() => return None,
            Verdict::Ok => false,
            // Nothing is wrong with the parts or with the line.
            Verdict::Reject(Reason::LineStop | Reason::Inhibited | Reason::NoPart | Reason::UnknownBelt) => {
                return None;
            }
            Verdict::Reject(_) => true,
        };
        self.in_a_row = if rejected { self.in_a_row + 1 } else { 0 };
        self.last.push_back(rejected);
        self.rejected += u32::from(rejected);
        while self.last.len() > rules.reject_window as usize {
            self.rejected -= u32::from(self.last.pop_front() == Some(true));
        }
        let full = self.last.len() == rules.reject_window as usize;
        let share = f64::from(self.rejected) / f64::from(rules.reject_window.max(1));
        if rules.consecutive_rejects > 0 && self.in_a_row >= rules.consecutive_rejects {
            Some(StopReason::ConsecutiveRejects)
        } else if full && share > rules.reject_rate.as_fraction() {
            Some(StopReason::RejectRate)
        } else {
            None
        }
    }

    /// The inputs that stop the line while they are on.
    pub(super) fn level(&mut self, reason: StopReason, on: bool) {
        match reason {
            StopReason::BinFull => self.bin_full = on,
            StopReason::AirLow => self.air_low = on,
            _ => {}
        }
    }

    /// Ends the stop; counting begins anew.
    ///
    /// # Errors
    /// The condition that still asks for it: the stop stands.
    pub(super) fn reset(&mut self) -> Result<bool, StopReason> {
        match (self.bin_full, self.air_low) {
            (true, _) => Err(StopReason::BinFull),
            (_, true) => Err(StopReason::AirLow),
            _ => {
                let ended = self.stopped.is_some();
                *self = Self::default();
                Ok(ended)
            }
        }
    }
}
