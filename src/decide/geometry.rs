//! The line's measures along the belt, in millimetres.
//!
//! Every part has a centre coordinate `c`: how far the belt has moved, in all, when the part's middle is at position 0. With the
//! belt at travel `T` the middle lies at `T - c`. All of a part's moments follow from travels; the odometer turns them into times.

use crate::config::timing::{gone_at, looked_at};
use crate::config::{Config, ConfirmKind, Sees};
use crate::units::Stretch;

/// A gate's measures.
#[derive(Debug, Clone, PartialEq)]
pub struct GateMeasures {
    /// Its position.
    pub position: f64,
    /// Belt from the gate's movement into reject to the part's middle.
    pub before: f64,
    /// Belt from the part's middle to the movement out of reject.
    pub after: f64,
    /// From the command to the moved gate, in seconds.
    pub delay: f64,
}

impl GateMeasures {
    fn new(position: f64, pulse: Stretch, lead: f64, delay: f64, speed: f64) -> Self {
        let half = pulse.mm_at(speed) / 2.0;
        Self { position, before: half + lead, after: half, delay }
    }

    /// Travel at which the gate must be in reject for a part with this centre, and until when; so much wider at either end.
    pub fn window(&self, centre: f64, (before, after): (f64, f64)) -> (f64, f64) {
        (centre + self.position - self.before - before, centre + self.position + self.after + after)
    }
}

/// The confirm sensor's measures.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfirmMeasures {
    /// Travel of a part's leading edge from position 0 when the sensor sees it.
    pub position: f64,
    /// How far from there it may be.
    pub tolerance: f64,
    /// Which parts it sees.
    pub sees: Sees,
}

/// The line's measures.
#[derive(Debug, Clone, PartialEq)]
pub struct Geometry {
    /// Nominal belt speed in millimetres a second, greater than 0.
    pub speed: f64,
    /// Length of a part.
    pub part: f64,
    /// Two parts' middles are at least so far apart.
    pub min_pitch: f64,
    /// Where the belt that is looked at begins and ends, until a frame has said it itself.
    pub view: (f64, f64),
    /// The gate that removes parts.
    pub gate: GateMeasures,
    /// The gate for parts of which the model is unsure.
    pub second: Option<GateMeasures>,
    /// The confirm sensor, if there is one.
    pub confirm: Option<ConfirmMeasures>,
    /// The verdict is final so long before the gate's command, in seconds.
    pub margin: f64,
    /// Belt between two frames at the nominal speed.
    pub step: f64,
    /// Position of a part's middle at which it has passed gates and confirm sensor, at least 0.
    pub gone: f64,
}

impl Geometry {
    /// The measures that `config` gives.
    pub fn of(config: &Config) -> Self {
        let speed = config.line.speed.as_mm_per_s();
        let (gate, second, confirm) = (&config.gate, &config.second_gate, &config.confirm);
        let lead = gate.lead.mm_at(speed);
        let tolerance = confirm.tolerance.unwrap_or(config.line.min_pitch);
        let share = if confirm.tolerance.is_some() { 1.0 } else { 0.5 };
        Self {
            speed,
            part: config.line.part_length.as_mm(),
            min_pitch: config.line.min_pitch.as_mm(),
            view: looked_at(config),
            gate: GateMeasures::new(gate.position.as_mm(), gate.pulse, lead, gate.delay.as_s(), speed),
            second: second.enabled.then(|| {
                let delay = second.delay.as_s();
                GateMeasures::new(second.position.as_mm(), second.pulse, lead, delay, speed)
            }),
            confirm: (confirm.kind != ConfirmKind::None).then(|| ConfirmMeasures {
                position: confirm.position.as_mm(),
                tolerance: tolerance.as_mm() * share,
                sees: confirm.sees,
            }),
            margin: config.decide.margin.as_s(),
            step: speed / config.camera.rate.as_per_s(),
            gone: gone_at(config).max(0.0),
        }
    }

    /// The centre coordinates of parts that lie wholly in what a frame showed of the belt, from and to, when that was at `travel`: from, to;
    /// in reverse where none does. Where it is long enough for it, parts within 2 mm of its borders do not count: noise may cut them off.
    pub fn whole(&self, shown: (f64, f64), travel: f64) -> (f64, f64) {
        let whole = shown.1 - shown.0 - self.part;
        let border = ((whole - self.step) / 2.0).clamp(0.0, 2.0) + self.part / 2.0;
        (travel - shown.1 + border, travel - shown.0 - border)
    }

    /// Travel at which nothing more can happen to a part with this centre: it has passed gates and confirm sensor.
    pub fn gone(&self, centre: f64) -> f64 {
        centre + self.gone
    }
}
