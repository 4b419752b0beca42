//! The gate stage: owns the actuators, the books of windows in which they must reject, and the outputs to the PLC.

use super::event::Event;
use crate::clock::Time;
use crate::decide::{Command, GateId, GateTiming, Owner, Schedule, Signals};
use crate::gate::{Gate, GateError, GateState, Outputs, SafeGuard};
use crate::verdict::PartNumber;

/// What the gate stage tells the decide stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Feedback {
    /// The gate had already moved for a part that was to pass.
    TooLate(PartNumber),
    /// A gate was commanded.
    Moved {
        /// Which gate.
        gate: GateId,
        /// To where.
        state: GateState,
        /// When.
        at: Time,
    },
    /// The gate was in reject for longer than it may be, and went to its safe position.
    Held,
}

/// One actuator and its book.
struct Actuator {
    id: GateId,
    guard: SafeGuard,
    schedule: Schedule,
    /// Where it was last told to go, other than into its safe position.
    last: Option<GateState>,
    /// When the next movement is due.
    due: Option<Time>,
}

impl Actuator {
    fn new(id: GateId, guard: SafeGuard, timing: GateTiming) -> Self {
        Self { id, guard, schedule: Schedule::new(timing.recovery), last: None, due: None }
    }

    /// Moves to where it must be; `true` when it moved. Tells how late that was.
    fn follow(&mut self, now: Time, events: &mut Vec<Event>) -> Result<Option<GateState>, GateError> {
        let state = self.schedule.state_at(now);
        let due = self.due.filter(|due| *due <= now);
        self.due = self.schedule.next_change(now);
        if self.last == Some(state) {
            return Ok(None);
        }
        self.guard.set(state, now)?;
        self.last = Some(state);
        log::debug!("{} moves to {state:?}", self.id.name());
        if let Some(due) = due {
            events.push(Event::Acted { late: now - due });
        }
        Ok(Some(state))
    }
}

/// Owns the gates and the outputs.
pub(super) struct GateStage {
    main: Actuator,
    second: Option<Actuator>,
    outputs: Option<Box<dyn Outputs>>,
    safe: GateState,
    timing: GateTiming,
    /// Until the first frame has been judged the gates stay in their safe positions.
    begun: bool,
    /// Since when the main gate is in reject, and whether that was for too long.
    rejecting: Option<(Time, bool)>,
}

impl GateStage {
    pub(super) fn new(
        main: SafeGuard,
        second: Option<SafeGuard>,
        outputs: Option<Box<dyn Outputs>>,
        safe: GateState,
        timing: GateTiming,
    ) -> Self {
        Self {
            main: Actuator::new(GateId::Main, main, timing),
            second: second.map(|guard| Actuator::new(GateId::Second, guard, timing)),
            outputs,
            safe,
            timing,
            begun: false,
            rejecting: None,
        }
    }

    /// Takes in a command. A clearance that came too late is handed back.
    pub(super) fn step(
        &mut self,
        command: Command,
        now: Time,
        events: &mut Vec<Event>,
        told: &mut Vec<Feedback>,
    ) -> Result<(), GateError> {
        match command {
            Command::Begin => self.begun = true,
            Command::Arm { gate, owner, from, until } => {
                if let Some(actuator) = self.actuator(gate) {
                    actuator.schedule.arm(owner, from, until, now);
                }
            }
            Command::Settle { part, pass, captured_at, divert } => {
                if let Some(captured_at) = captured_at {
                    events.push(Event::Settled { frame_to_gate: now - captured_at });
                }
                if pass && self.main.schedule.clear(part, now).is_err() {
                    told.push(Feedback::TooLate(part));
                } else if let (Some((from, until)), Some(second)) = (divert, &mut self.second) {
                    second.schedule.arm(Owner::Part(part), from, until, now);
                }
            }
            Command::Know { from, until } => self.main.schedule.know(from, until),
            Command::Timing(timing) => {
                self.timing = timing;
                self.main.schedule.set_recovery(timing.recovery);
            }
            Command::Signals(signals) => self.show(&signals)?,
        }
        Ok(())
    }

    fn show(&mut self, signals: &Signals) -> Result<(), GateError> {
        self.outputs.as_mut().map_or(Ok(()), |outputs| outputs.show(signals))
    }

    fn actuator(&mut self, id: GateId) -> Option<&mut Actuator> {
        match id {
            GateId::Main => Some(&mut self.main),
            GateId::Second => self.second.as_mut(),
        }
    }

    /// Moves the gates to where they must be at `now`.
    pub(super) fn on_deadline(
        &mut self,
        now: Time,
        events: &mut Vec<Event>,
        told: &mut Vec<Feedback>,
    ) -> Result<(), GateError> {
        if !self.begun {
            return Ok(());
        }
        if let Some((since, false)) = self.rejecting
            && self.timing.max_on.is_some_and(|most| now >= since + most)
        {
            // Held, as far as the book knows: it moves again when the book says pass.
            self.rejecting = Some((since, true));
            log::error!("the gate was in reject for too long and goes to its safe position");
            self.main.guard.set(self.safe, now)?;
            told.push(Feedback::Moved { gate: GateId::Main, state: self.safe, at: now });
            told.push(Feedback::Held);
        }
        for actuator in [Some(&mut self.main), self.second.as_mut()].into_iter().flatten() {
            let Some(state) = actuator.follow(now, events)? else { continue };
            told.push(Feedback::Moved { gate: actuator.id, state, at: now });
            if actuator.id == GateId::Main {
                self.rejecting = (state == GateState::Reject).then_some((now, false));
            }
        }
        Ok(())
    }

    /// When [`GateStage::on_deadline`] must be called next.
    pub(super) fn next_deadline(&self, now: Time) -> Option<Time> {
        if !self.begun {
            return None;
        }
        let second = self.second.as_ref().and_then(|actuator| actuator.schedule.next_change(now));
        let held = match (self.rejecting, self.timing.max_on) {
            (Some((since, false)), Some(most)) => Some(since + most),
            _ => None,
        };
        [self.main.schedule.next_change(now), second, held].into_iter().flatten().min()
    }

    /// Number of windows in the books.
    pub(super) fn windows(&self) -> usize {
        self.main.schedule.len() + self.second.as_ref().map_or(0, |second| second.schedule.len())
    }
}
