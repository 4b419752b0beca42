//! The belt under the parts: its position, what is lost when that is unknown, and the windows that follow from it.

use super::{Action, Command, Engine, GateId, Loss, Owner, StopReason};
use crate::clock::Time;
use crate::config::Trigger;
use crate::decide::entry::{Entry, moved};
use crate::decide::states::State;

/// What an input of the line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Input {
    /// The belt is driven.
    Running,
    /// The bin for removed parts is full.
    BinFull,
    /// The gate's air pressure is low.
    AirLow,
    /// Inspection is suspended.
    Inhibit,
    /// Ends a line stop.
    Reset,
}

impl Engine {
    /// An encoder's count at `at`; `lost` pulses are missing from it, because the kernel could not deliver them.
    pub fn on_encoder(&mut self, at: Time, count: i64, lost: u32, now: Time, out: &mut Vec<Action>) {
        let before = self.odometer.moved_at();
        let result = self.odometer.on_count(at, count, lost);
        if lost > 0 {
            let wider = f64::from(lost) / self.rules.measuring.per_mm;
            self.ledger.iter_mut().for_each(|entry| entry.wider += wider);
        }
        match result {
            Err(loss) => self.lose(loss, now, out),
            Ok(()) if self.odometer.moved_at() > before => self.recover(now, out),
            Ok(()) => {}
        }
        self.on_deadline(now, out);
    }

    /// The belt's speed as two sensors measured it, in millimetres a second.
    pub(super) fn on_speed(&mut self, at: Time, speed: f64, now: Time, out: &mut Vec<Action>) {
        if let Err(loss) = self.odometer.on_speed(at, speed) {
            self.lose(loss, now, out);
        }
    }

    /// An input changed at `at`.
    pub fn on_input(&mut self, input: Input, on: bool, at: Time, now: Time, out: &mut Vec<Action>) {
        match input {
            Input::Running => {
                if let Err(loss) = self.odometer.on_running(at, on) {
                    self.lose(loss, now, out);
                }
            }
            Input::BinFull | Input::AirLow => {
                let reason = if input == Input::BinFull { StopReason::BinFull } else { StopReason::AirLow };
                self.latch.level(reason, on);
                if on {
                    self.trip(reason, now, out);
                }
            }
            Input::Inhibit => self.inhibited = on,
            Input::Reset if on => {
                // A cause that persists keeps the stop standing; the outputs go on saying so.
                let _ = self.on_reset(now, out);
            }
            Input::Reset => {}
        }
        self.on_deadline(now, out);
    }

    /// Somebody asks for the end of the line stop.
    ///
    /// # Errors
    /// The cause that persists: the stop stands.
    pub fn on_reset(&mut self, now: Time, out: &mut Vec<Action>) -> Result<(), StopReason> {
        self.triggers.reset();
        if self.latch.reset()? {
            out.push(Action::LineStop(None));
        }
        self.signal(now, out);
        Ok(())
    }

    /// The gate was in reject for longer than it may be, and went to its safe position.
    pub fn on_gate_held(&mut self, now: Time, out: &mut Vec<Action>) {
        self.trip(StopReason::GateHeld, now, out);
        self.signal(now, out);
    }

    /// The belt's position is unknown from here on: no part on it can be cleared, and the gate rejects.
    pub(super) fn lose(&mut self, loss: Loss, now: Time, out: &mut Vec<Action>) {
        if self.lost.is_none() {
            self.troubles.position_losses += 1;
            out.push(Action::Position(Some(loss)));
        }
        self.lost = Some((loss, now));
        self.coverage.lose();
        for entry in &mut self.ledger {
            entry.adrift = true;
        }
    }

    /// The position is known again if the belt is heard of. What lay on it is not.
    fn recover(&mut self, now: Time, out: &mut Vec<Action>) {
        let Some((loss, _)) = self.lost else { return };
        if self.odometer.is_silent(now) || (self.odometer.is_off() && loss == Loss::Stopped) {
            return;
        }
        let (geometry, travel) = (&self.rules.geometry, self.odometer.mm_at(now));
        let unknown_to = match self.rules.trigger {
            Trigger::Sensor | Trigger::Software => travel + geometry.part / 2.0,
            Trigger::Vision => travel - self.shown.1 + geometry.part / 2.0,
            Trigger::EveryFrame => travel - f64::midpoint(self.shown.0, self.shown.1),
        };
        self.coverage.begin(unknown_to, self.odometer.doubt());
        self.lost = None;
        // A gate that may not be held in reject cannot wait for a part to come.
        let unproved = self.rules.trigger != Trigger::Vision && self.rules.gate_timing.max_on[0].is_none();
        (self.off_place, self.in_place) = (0, !unproved);
        self.triggers.forget_places();
        out.push(Action::Position(None));
    }

    /// Takes the belt's movement into the windows.
    pub(super) fn follow_belt(&mut self, now: Time, out: &mut Vec<Action>) {
        if self.lost.is_none() && self.odometer.is_silent(now) {
            self.lose(Loss::Silent, now, out);
        }
        let counts = self.odometer.counts();
        if self
            .lost
            .is_some_and(|(loss, since)| !counts || self.odometer.moved_at() > since || loss == Loss::Start)
        {
            self.recover(now, out);
        }
        self.watch_sensor(now, out);
        self.know(now, out);
        self.arm_gaps(now, out);
        let doubt = self.odometer.doubt();
        for at in 0..self.ledger.len() {
            let entry = &mut self.ledger[at];
            entry.doubt = (doubt - entry.proved).max(0.0);
            entry.doubted |= entry.doubt > 0.0;
            if self.ledger[at].state != State::Cleared {
                let window = self.window_of(&self.ledger[at]);
                self.ledger[at].arm(window, self.gate_late, now, out);
            }
        }
    }

    /// Tells the gate which stretch of belt is known.
    fn know(&mut self, now: Time, out: &mut Vec<Action>) {
        let gate = &self.rules.geometry.gate;
        let time = |mm: f64| self.odometer.time_at(mm).map_or(Time::MAX, |at| at.plus_s(-gate.delay));
        let known = match self.coverage.unknown_to() {
            None => (Time::MAX, Time::MAX),
            Some(unknown_to) => {
                let until = if self.on_belt() {
                    time(gate.window(self.coverage.known_to(self.odometer.doubt()), (0.0, 0.0)).0)
                } else {
                    Time::MAX
                };
                (time(gate.window(unknown_to, (0.0, 0.0)).1), until)
            }
        };
        // A beginning that is past says nothing any more.
        let begun = self.known.0 <= now && known.0 <= now;
        if (!begun && moved(known.0, self.known.0)) || moved(known.1, self.known.1) {
            self.known = known;
            out.push(Action::Gate(Command::Know { from: known.0, until: known.1 }));
        }
        if let Some(unknown_to) = self.coverage.unknown_to() {
            let past = self.odometer.mm_at(now) - gate.position - gate.after;
            self.coverage.forget(past.min(unknown_to.max(past)));
        }
    }

    /// Arms the gate for the stretches that no frame showed.
    fn arm_gaps(&mut self, now: Time, out: &mut Vec<Action>) {
        let (gate, doubt) = (&self.rules.geometry.gate, self.odometer.doubt());
        for gap in self.coverage.gaps() {
            let time = |mm: f64| self.odometer.time_at(mm).map_or(Time::MAX, |at| at.plus_s(-gate.delay));
            let window = gate.window(gap.from, (doubt - gap.doubt, 0.0)).0;
            let (from, until) = (time(window), time(gate.window(gap.to, (0.0, 0.0)).1));
            if until > now && (moved(from, gap.window.0) || moved(until, gap.window.1)) {
                gap.window = (from, until);
                let owner = Owner::Gap(gap.number);
                out.push(Action::Gate(Command::Arm { gate: GateId::Main, owner, from, until }));
            }
        }
    }

    /// When the part's gate is to be in reject for it.
    pub(super) fn window_of(&self, entry: &Entry) -> (Time, Time) {
        let geometry = &entry.rules.geometry;
        let gate = match entry.gate {
            GateId::Main => &geometry.gate,
            GateId::Second => geometry.second.as_ref().unwrap_or(&geometry.gate),
        };
        let wider = entry.wider + entry.excess() / 2.0;
        let (from, until) = gate.window(entry.centre, (wider + entry.doubt, wider));
        let time = |mm: f64| self.odometer.time_at(mm).map_or(Time::MAX, |at| at.plus_s(-gate.delay));
        (time(from), time(until))
    }
}
