//! The decide stage: feeds the ledger and hands its actions on.

use std::sync::Arc;
use std::time::Duration;

use super::Oracle;
use super::event::Event;
use super::gate::Feedback;
use super::prepare::Job;
use crate::clock::Time;
use crate::config::timing::length;
use crate::decide::{Action, Command, Engine, GateTiming, Loss, Outcome, Rules, StopReason, Troubles};
use crate::sensor::SensorEvent;

/// Frames that show the belt to within so many millimetres of what was configured show that.
const SHOWN_OFF_MM: f64 = 1.0;

/// What somebody outside the line asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Order {
    /// A part's leading edge is at position 0 now.
    Trigger,
    /// The line stop is to end.
    Reset,
    /// Other rules are to be in force from the next part on.
    Rules(Box<Rules>),
}

/// What the decide stage is told.
pub(super) enum Told {
    /// A judged frame.
    Judged(Box<Job>),
    /// A captured frame was dropped.
    Dropped {
        /// When it was captured.
        captured_at: Time,
    },
    /// A picture that was taken is none.
    Damaged {
        /// When it was captured.
        captured_at: Time,
    },
    /// A picture was taken that reached nobody.
    Missed {
        /// When it was captured, as far as can be said.
        captured_at: Time,
    },
    /// Something happened on the line.
    Sensed(SensorEvent),
    /// The gate tells what it did.
    Gate(Feedback),
    /// Somebody asks for something.
    Ordered(Order),
}

/// What the decide stage wants sent on: commands first, then events, and words last.
#[derive(Debug, Default)]
pub(super) struct Decided {
    /// For the gate, in order.
    pub commands: Vec<Command>,
    /// For the report stage, in order.
    pub events: Vec<Event>,
    /// For the log, in order.
    words: Vec<Words>,
}

/// What is said in the log.
#[derive(Debug, PartialEq)]
enum Words {
    LineStop(Option<StopReason>),
    Position(Option<Loss>),
    ResetRefused(StopReason),
    InForce(Arc<str>),
    /// What frames show of the belt, and what the configuration says.
    Shown((f64, f64), (f64, f64)),
    Trouble(u64, &'static str),
}

impl Decided {
    /// Logs what there is to say, each kind from a place of its own: the log holds places to a limit, not one kind to another's.
    pub(super) fn tell(&mut self) {
        for words in self.words.drain(..) {
            match words {
                Words::LineStop(Some(reason)) => {
                    log::error!("line stop: {}; it stands until it is reset", reason.name());
                }
                Words::LineStop(None) => log::info!("the line stop has been reset"),
                Words::Position(Some(loss)) => {
                    log::warn!("the belt's position is lost: {}; everything is rejected", loss.name());
                }
                Words::Position(None) => {
                    log::info!("the belt's position is known; what lies on the belt is rejected");
                }
                Words::ResetRefused(reason) => {
                    log::warn!("the line stop is not ended: {} is still on", reason.name());
                }
                Words::InForce(rules) => {
                    log::info!("configuration {rules} is in force from the next part on");
                }
                Words::Shown(shown, configured) => log::warn!(
                    "frames show the belt from {} to {}, where the configuration says {} to {}: `preprocess.region` is a part of pictures \
                     of another width; what no frame shows is rejected",
                    length(shown.0),
                    length(shown.1),
                    length(configured.0),
                    length(configured.1)
                ),
                Words::Trouble(count, what) => log::warn!("{count} {what}"),
            }
        }
    }
}

/// Owns the engine.
pub(super) struct DecideStage {
    engine: Engine,
    actions: Vec<Action>,
    oracle: Option<Oracle>,
    finished: u64,
    limit: Option<u64>,
    begun: bool,
    /// Whether it was told that frames show other belt than the configuration says.
    shown_told: bool,
    timing: GateTiming,
    /// What was told last.
    troubles: Troubles,
}

impl DecideStage {
    pub(super) fn new(engine: Engine, oracle: Option<Oracle>, limit: Option<u64>) -> Self {
        let timing = engine.gate_timing();
        Self {
            engine,
            actions: Vec::new(),
            oracle,
            finished: 0,
            limit,
            begun: false,
            shown_told: false,
            timing,
            troubles: Troubles::default(),
        }
    }

    /// Takes in what the stage is told; does not measure the time of its own step.
    pub(super) fn step(&mut self, told: &Told, now: Time, out: &mut Decided) {
        let (engine, actions) = (&mut self.engine, &mut self.actions);
        match told {
            Told::Judged(job) => {
                if !std::mem::replace(&mut self.begun, true) {
                    out.commands.push(Command::Begin);
                    out.events.push(Event::Ready);
                }
                engine.on_inspection(&job.seen, now, actions);
                if let Some(shown) = job.seen.shown.filter(|_| !self.shown_told)
                    && shows_other_belt(shown, engine.looked_at())
                {
                    self.shown_told = true;
                    out.words.push(Words::Shown(shown, engine.looked_at()));
                }
            }
            Told::Dropped { captured_at } => engine.on_dropped(*captured_at, now, actions),
            Told::Damaged { captured_at } => engine.on_damaged(*captured_at, now, actions),
            Told::Missed { captured_at } => engine.on_missed(*captured_at, now, actions),
            Told::Sensed(event) => sense(engine, *event, now, actions),
            Told::Gate(Feedback::TooLate(part)) => engine.on_too_late(*part, now),
            Told::Gate(Feedback::Moved { gate, state, at, late }) => {
                engine.on_moved(*gate, *state, *at, *late)
            }
            Told::Gate(Feedback::Held) => engine.on_gate_held(now, actions),
            Told::Ordered(Order::Trigger) => engine.on_trigger(now, now, actions),
            Told::Ordered(Order::Reset) => {
                if let Err(reason) = engine.on_reset(now, actions) {
                    out.words.push(Words::ResetRefused(reason));
                }
            }
            Told::Ordered(Order::Rules(rules)) => {
                out.words.push(Words::InForce(rules.fingerprint.clone()));
                engine.set_rules((**rules).clone());
            }
        }
        self.hand_on(now, out);
    }

    /// Says what a judged frame has cost, `decide` of it in this stage.
    pub(super) fn cost(job: &Job, decide: Duration, out: &mut Decided) {
        out.events.push(Event::Judged { preprocess: job.preprocess, infer: job.infer, decide });
    }

    /// Lets time pass.
    pub(super) fn on_deadline(&mut self, now: Time, out: &mut Decided) {
        self.engine.on_deadline(now, &mut self.actions);
        self.hand_on(now, out);
    }

    /// When [`DecideStage::on_deadline`] must be called next.
    pub(super) fn next_deadline(&self) -> Option<Time> {
        self.engine.next_deadline()
    }

    /// Whether as many parts have left the line as were asked for.
    pub(super) fn is_done(&self) -> bool {
        self.limit.is_some_and(|limit| self.finished >= limit)
    }

    /// Number of parts that there is room for.
    pub(super) fn room(&self) -> usize {
        self.engine.room()
    }

    /// Number of parts between trigger and gate.
    pub(super) fn in_flight(&self) -> usize {
        self.engine.in_flight()
    }

    /// What went wrong so far.
    pub(super) fn troubles(&self) -> Troubles {
        self.engine.troubles()
    }

    /// Reports what is still on the belt.
    pub(super) fn stop(&mut self, now: Time, out: &mut Decided) {
        self.engine.on_stop(now, &mut self.actions);
        self.hand_on(now, out);
        tell(&self.engine.troubles(), out);
    }

    fn hand_on(&mut self, now: Time, out: &mut Decided) {
        let timing = self.engine.gate_timing();
        if timing != self.timing {
            self.timing = timing;
            out.commands.push(Command::Timing(timing));
        }
        let troubles = self.engine.troubles();
        if troubles != self.troubles {
            self.troubles = troubles;
            out.events.push(Event::Troubles(troubles));
        }
        for action in self.actions.drain(..) {
            match action {
                Action::Gate(command) => out.commands.push(command),
                Action::Opened { part, at } => out.events.push(Event::Opened { part, at }),
                Action::LineStop(reason) => {
                    out.words.push(Words::LineStop(reason));
                    out.events.push(Event::LineStop { reason, at: now });
                }
                Action::Position(loss) => {
                    out.words.push(Words::Position(loss));
                    out.events.push(Event::Position { loss, at: now });
                }
                Action::Finished(mut record) => {
                    let left = record.outcome != Outcome::UnresolvedAtStop;
                    if left && self.limit.is_some_and(|limit| self.finished >= limit) {
                        // Parts that leave in the same moment as the last one asked for are not part of the run.
                        record.outcome = Outcome::UnresolvedAtStop;
                    } else if left {
                        self.finished += 1;
                    }
                    if let Some((truth, name)) = self.oracle.as_ref().and_then(|oracle| oracle(&record)) {
                        record.truth = Some(truth);
                        record.name = Some(name);
                    }
                    out.events.push(Event::Part(Arc::new(*record)));
                }
            }
        }
    }
}

/// Whether frames show another stretch of belt, in millimetres from the sensor, than the configuration was checked with.
fn shows_other_belt(shown: (f64, f64), configured: (f64, f64)) -> bool {
    (shown.0 - configured.0).abs().max((shown.1 - configured.1).abs()) > SHOWN_OFF_MM
}

fn sense(engine: &mut Engine, event: SensorEvent, now: Time, out: &mut Vec<Action>) {
    match event {
        SensorEvent::PartArrived { at } => engine.on_part_arrived(at, now, out),
        SensorEvent::PartLeft { at } => engine.on_part_left(at, now, out),
        SensorEvent::SecondSensor { at } => engine.on_second_sensor(at, now, out),
        SensorEvent::Confirmed { at } => engine.on_confirm(at, now, out),
        SensorEvent::Encoder { at, count, lost } => engine.on_encoder(at, count, lost, now, out),
        SensorEvent::Input { input, on, at } => engine.on_input(input, on, at, now, out),
    }
}

/// Says at the end what went wrong on the way.
fn tell(troubles: &Troubles, out: &mut Decided) {
    for (count, what) in [
        (troubles.late_answers, "answers of the model came after their part's deadline"),
        (troubles.missed_triggers, "parts were seen that no trigger announced"),
        (troubles.surplus_triggers, "triggers announced parts that were not there"),
        (troubles.bounces, "edges of the sensor were bounce"),
        (troubles.gaps, "stretches of belt were shown by no frame"),
        (troubles.position_losses, "times the belt's position was lost"),
        (troubles.unexpected_confirms, "edges of the confirm sensor belonged to no part"),
    ] {
        if count > 0 {
            out.words.push(Words::Trouble(count, what));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::decide::Policy;
    use crate::sensor::Input;
    use crate::verdict::PartNumber;

    #[test]
    fn what_happens_to_the_line_is_said_after_its_commands() {
        let rules = Rules::of(&Config::default(), Policy { threshold: 0.5, unsure: 0.1 });
        let mut stage = DecideStage::new(Engine::new(rules, PartNumber(1), Time::ZERO), None, None);
        let (mut out, now) = (Decided::default(), Time::ZERO.plus_s(1.0));
        let bin_full = SensorEvent::Input { input: Input::BinFull, on: true, at: now };
        stage.step(&Told::Sensed(bin_full), now, &mut out);
        stage.step(&Told::Ordered(Order::Reset), now, &mut out);
        let words = |out: &Decided, wanted: &Words| out.words.contains(wanted);
        assert!(words(&out, &Words::LineStop(Some(StopReason::BinFull))));
        assert!(words(&out, &Words::ResetRefused(StopReason::BinFull)));
        assert!(!out.commands.is_empty(), "the output for the PLC does not wait for them");
        out.tell();
        assert!(out.words.is_empty());
    }
}
