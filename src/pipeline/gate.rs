//! The gate stage: owns the actuators, the books of windows in which they must reject, and the outputs to the PLC.

use std::time::Duration;

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
        /// How long after the moment at which it was due.
        late: Duration,
    },
    /// A gate was in reject for longer than it may be, and went to its safe position.
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
    /// Longest time in reject.
    max_on: Option<Duration>,
    /// Since when it is in reject, and whether that was for too long.
    rejecting: Option<(Time, bool)>,
}

impl Actuator {
    fn new(id: GateId, guard: SafeGuard, timing: GateTiming) -> Self {
        let schedule = Schedule::new(timing.recovery);
        Self {
            id,
            guard,
            schedule,
            last: None,
            due: None,
            max_on: timing.max_on[id as usize],
            rejecting: None,
        }
    }

    fn set_timing(&mut self, timing: GateTiming) {
        self.schedule.set_recovery(timing.recovery);
        self.max_on = timing.max_on[self.id as usize];
    }

    /// Moves to where it must be at `now`, tells how late that was, and lets go what was in reject for too long.
    fn follow(
        &mut self,
        now: Time,
        events: &mut Vec<Event>,
        told: &mut Vec<Feedback>,
    ) -> Result<(), GateError> {
        if self.let_go_at().is_some_and(|at| at <= now) {
            // Held, as far as the book knows: it moves again when the book says pass.
            self.rejecting = self.rejecting.map(|(since, _)| (since, true));
            log::error!("{} was in reject for too long and goes to its safe position", self.id.name());
            self.guard.make_safe()?;
            told.push(Feedback::Moved {
                gate: self.id,
                state: self.guard.safe(),
                at: now,
                late: Duration::ZERO,
            });
            told.push(Feedback::Held);
        }
        let state = self.schedule.state_at(now);
        let due = self.due.filter(|due| *due <= now);
        self.due = self.schedule.next_change(now);
        if self.last == Some(state) {
            return Ok(());
        }
        self.guard.set(state, now)?;
        self.last = Some(state);
        self.rejecting = (state == GateState::Reject).then_some((now, false));
        log::debug!("{} moves to {state:?}", self.id.name());
        let late = due.map(|due| now - due);
        events.extend(late.map(|late| Event::Acted { late }));
        told.push(Feedback::Moved { gate: self.id, state, at: now, late: late.unwrap_or_default() });
        Ok(())
    }

    /// When it will have been in reject for too long.
    fn let_go_at(&self) -> Option<Time> {
        let (since, held) = self.rejecting?;
        self.max_on.filter(|_| !held).map(|most| since + most)
    }

    fn next_deadline(&self, now: Time) -> Option<Time> {
        [self.schedule.next_change(now), self.let_go_at()].into_iter().flatten().min()
    }
}

/// Owns the gates and the outputs.
pub(super) struct GateStage {
    main: Actuator,
    second: Option<Actuator>,
    outputs: Option<Box<dyn Outputs>>,
    /// Until the first frame has been judged the gates stay in their safe positions.
    begun: bool,
}

impl GateStage {
    pub(super) fn new(
        main: SafeGuard,
        second: Option<SafeGuard>,
        outputs: Option<Box<dyn Outputs>>,
        timing: GateTiming,
    ) -> Self {
        Self {
            main: Actuator::new(GateId::Main, main, timing),
            second: second.map(|guard| Actuator::new(GateId::Second, guard, timing)),
            outputs,
            begun: false,
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
                let gates = [Some(&mut self.main), self.second.as_mut()];
                gates.into_iter().flatten().for_each(|gate| gate.set_timing(timing));
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
        let gates = [Some(&mut self.main), self.second.as_mut()];
        gates.into_iter().flatten().try_for_each(|gate| gate.follow(now, events, told))
    }

    /// When [`GateStage::on_deadline`] must be called next.
    pub(super) fn next_deadline(&self, now: Time) -> Option<Time> {
        if !self.begun {
            return None;
        }
        let gates = [Some(&self.main), self.second.as_ref()];
        gates.into_iter().flatten().filter_map(|gate| gate.next_deadline(now)).min()
    }

    /// Number of windows in the books.
    pub(super) fn windows(&self) -> usize {
        self.main.schedule.len() + self.second.as_ref().map_or(0, |second| second.schedule.len())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::clock::SimClock;

    type Moves = Arc<Mutex<Vec<GateState>>>;

    struct Recorder(Moves);

    impl Gate for Recorder {
        fn set(&mut self, state: GateState, _now: Time) -> Result<(), GateError> {
            self.0.lock().unwrap().push(state);
            Ok(())
        }
    }

    fn t(ms: u64) -> Time {
        Time::from_nanos(ms * 1_000_000)
    }

    #[test]
    fn each_gate_that_is_in_reject_for_too_long_is_let_go_and_told() {
        let guard = |moves: &Moves, safe| {
            let clock = Arc::new(SimClock::default());
            SafeGuard::new(Box::new(Recorder(moves.clone())), safe, clock).unwrap()
        };
        let (main, second) = (Moves::default(), Moves::default());
        let most = |ms| Some(Duration::from_millis(ms));
        let timing = GateTiming { recovery: Duration::ZERO, max_on: [None, most(100)] };
        let second_guard = guard(&second, GateState::Pass);
        let mut stage = GateStage::new(guard(&main, GateState::Reject), Some(second_guard), None, timing);
        let (mut events, mut told) = (Vec::new(), Vec::new());
        let arm = Command::Arm {
            gate: GateId::Second,
            owner: Owner::Part(PartNumber(1)),
            from: t(50),
            until: t(400),
        };
        for command in [Command::Begin, Command::Know { from: t(0), until: t(1000) }, arm] {
            stage.step(command, t(0), &mut events, &mut told).unwrap();
        }
        let mut now = t(0);
        while let Some(next) = stage.next_deadline(now).filter(|next| *next < t(900)) {
            now = next;
            stage.on_deadline(now, &mut events, &mut told).unwrap();
        }
        assert!(told.contains(&Feedback::Held), "{told:?}");
        let state = |at: u64| {
            told.iter().rev().find_map(|told| match told {
                Feedback::Moved { gate: GateId::Second, state, at: moved, .. } if *moved <= t(at) => {
                    Some(*state)
                }
                _ => None,
            })
        };
        assert_eq!((state(149), state(150)), (Some(GateState::Reject), Some(GateState::Pass)), "{told:?}");
        assert_eq!(second.lock().unwrap().last(), Some(&GateState::Pass));
        stage
            .step(Command::Timing(GateTiming { max_on: [None, None], ..timing }), now, &mut events, &mut told)
            .unwrap();
        assert_eq!(stage.second.as_ref().unwrap().max_on, None);
    }
}
