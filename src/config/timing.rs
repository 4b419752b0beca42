//! The arithmetic of the belt: how long a part is in view, how much time is left before its gate, how fast the belt may run.
//!
//! Pure. Knows positions, speeds and times of a configuration. Must not know what is done when they do not suffice.

use super::{Camera, CameraKind, Config, ConfirmKind, Trigger};
use crate::units::{Length, Span, Speed, Stretch};

/// How the camera's picture lies on the belt: the one place where pixels along it become millimetres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BeltView {
    /// Position of the picture's left border in millimetres from the sensor.
    pub left_mm: f64,
    /// Length of belt that the picture's whole width shows, in millimetres.
    pub length_mm: f64,
}

impl BeltView {
    /// That of a camera.
    pub fn of(camera: &Camera) -> Self {
        let length_mm = camera.view.as_mm();
        Self { left_mm: camera.position.as_mm() - length_mm / 2.0, length_mm }
    }

    /// Position of the picture's right border.
    pub fn right_mm(&self) -> f64 {
        self.left_mm + self.length_mm
    }

    /// Position of pixel `x`, which need not be whole, of a picture `width` pixels wide.
    pub fn position(&self, x: f64, width: f64) -> f64 {
        self.left_mm + self.length_mm * x / width
    }

    /// The belt that the pixels from `x` on, `count` of them, show of a picture `width` pixels wide: from, to.
    pub fn shown(&self, x: u32, count: u32, width: f64) -> (f64, f64) {
        (self.position(f64::from(x), width), self.position(f64::from(x) + f64::from(count), width))
    }
}

/// What follows from the positions, lengths and times of a configuration. Lengths in millimetres, times in seconds.
///
/// A part is followed by its middle. With view `V` around camera position `C`, part length `L`, belt speed `v`, frame rate
/// `f`, gate position `G`, pulse `P`, gate lead `l`, gate delay `d`, decision margin `m` and inference time `i`:
///
/// - wholly in view along `V - L`, that is for `(V - L) / v`, in `(V - L) f / v` frames
/// - out of whole view at `C + (V - L) / 2`; the gate must stand in reject from `G - P / 2 - l` on
/// - slack `(G - P / 2 - l - C - (V - L) / 2) / v - d - m - i`
///
/// With the trigger `every_frame` a part is in the middle of the view when its one frame is taken: `V - L` counts as 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Timing {
    /// Middle of what is looked at: `camera.position`, shifted if `preprocess.region` lies off the middle.
    pub view_middle: f64,
    /// Length of belt that is looked at: `camera.view`, or the share of it that `preprocess.region` keeps.
    pub view: f64,
    /// Belt along which a part is wholly in view.
    pub whole: f64,
    /// Time for which a part is wholly in view.
    pub time_in_view: f64,
    /// Frames that show a part whole, on average.
    pub looks: f64,
    /// Position of a part's middle at which it begins to leave the view.
    pub leaves_view: f64,
    /// Position of a part's middle from which on the gate stands in reject for it.
    pub reject_from: f64,
    /// Time that the line takes between the two, less gate delay and margin: what frame, model and ledger may take.
    pub slack: f64,
    /// Greatest belt speed that leaves as many looks as a part needs, in millimetres per second.
    pub greatest_speed_for_look: f64,
    /// Greatest belt speed that leaves no negative slack, in millimetres per second; 0 when no speed does.
    pub greatest_speed_for_gate: f64,
    /// Least gate position that leaves no negative slack at the given speed.
    pub least_gate_position: f64,
    /// Most parts that can be between trigger and the last of gates and confirm sensor at once.
    pub parts_in_flight: f64,
    /// Most parts a second: speed over least pitch.
    pub parts_per_second: f64,
}

impl Timing {
    /// Computes everything; meaningless numbers follow from a configuration whose values are out of range.
    pub fn of(config: &Config) -> Self {
        let (line, gate) = (&config.line, &config.gate);
        let speed = line.speed.as_mm_per_s();
        let part = line.part_length.as_mm();
        let (from, to) = looked_at(config);
        let (view_middle, view) = (f64::midpoint(from, to), to - from);
        let whole = view - part;
        let lag =
            gate.delay.as_s() + config.decide.margin.as_s() + config.decide.inference.map_or(0.0, Span::as_s);
        let after = if config.decide.trigger == Trigger::EveryFrame { 0.0 } else { whole / 2.0 };
        let leaves_view = view_middle + after;
        let half = gate.pulse.mm_at(speed) / 2.0;
        let before = half + gate.lead.mm_at(speed);
        let reject_from = gate.position.as_mm() - before;
        let travel = reject_from - leaves_view;
        let opened_at = match config.decide.trigger {
            Trigger::Sensor | Trigger::Software => -part / 2.0,
            Trigger::Vision | Trigger::EveryFrame => view_middle - view / 2.0,
        };
        let done_at = gone_at(config);
        Self {
            view_middle,
            view,
            whole,
            time_in_view: whole / speed,
            looks: whole / speed * config.camera.rate.as_per_s(),
            leaves_view,
            reject_from,
            slack: travel / speed - lag,
            greatest_speed_for_look: whole.max(0.0) * config.camera.rate.as_per_s() / looks_needed(config),
            greatest_speed_for_gate: if travel > 0.0 { travel / lag } else { 0.0 },
            least_gate_position: leaves_view + before + speed * lag,
            parts_in_flight: ((done_at - opened_at) / line.min_pitch.as_mm()).floor() + 1.0,
            parts_per_second: speed / line.min_pitch.as_mm(),
        }
    }

    /// Most parts that can be wholly in view at once: so often the model is asked about one frame.
    pub fn parts_in_view(&self, min_pitch: f64) -> f64 {
        (self.whole.max(0.0) / min_pitch).floor() + 1.0
    }

    /// Slack that is left when a frame's answers take `seconds`, beyond what `decide.inference` already counts.
    pub fn slack_after(&self, seconds: f64) -> f64 {
        self.slack - seconds
    }

    /// Greatest belt speed that leaves no negative slack when a frame's answers take `seconds`, in millimetres per second.
    pub fn greatest_speed_after(&self, seconds: f64) -> f64 {
        let travel = self.reject_from - self.leaves_view;
        let lag =
            if self.greatest_speed_for_gate > 0.0 { travel / self.greatest_speed_for_gate } else { 0.0 };
        self.greatest_speed_for_look.min(travel.max(0.0) / (lag + seconds))
    }

    /// Greatest belt speed at which everything still works, in millimetres per second.
    pub fn greatest_speed(&self) -> f64 {
        self.greatest_speed_for_look.min(self.greatest_speed_for_gate)
    }
}

/// Position of a part's middle, in millimetres, at which nothing more can happen to it: it has passed gates and confirm sensor.
pub fn gone_at(config: &Config) -> f64 {
    let (line, gate, second, confirm) = (&config.line, &config.gate, &config.second_gate, &config.confirm);
    let speed = line.speed.as_mm_per_s();
    let passed = |position: Length, pulse: Stretch, delay: Span| {
        position.as_mm() + pulse.mm_at(speed) / 2.0 + delay.as_s() * speed
    };
    let mut gone = passed(gate.position, gate.pulse, gate.delay);
    if second.enabled {
        gone = gone.max(passed(second.position, second.pulse, second.delay));
    }
    if confirm.kind != ConfirmKind::None {
        let tolerance = confirm.tolerance.map_or(line.min_pitch.as_mm() / 2.0, Length::as_mm);
        gone = gone.max(confirm.position.as_mm() - line.part_length.as_mm() / 2.0 + tolerance);
    }
    gone
}

/// Looks that a part needs to be cleared.
pub fn looks_needed(config: &Config) -> f64 {
    if config.decide.trigger == Trigger::EveryFrame { 1.0 } else { f64::from(config.decide.min_looks.max(1)) }
}

/// The stretch of belt that is looked at, as far as the configuration can tell, in millimetres from the sensor: from, to. Frames say it
/// themselves, and what they say is what parts are cleared by.
pub fn looked_at(config: &Config) -> (f64, f64) {
    let (camera, view) = (&config.camera, BeltView::of(&config.camera));
    match config.preprocess.region {
        // A folder's pictures have what width they have.
        Some(region) if camera.kind != CameraKind::Folder && camera.width > 0 => {
            view.shown(region.x, region.width, f64::from(camera.width))
        }
        _ => (view.left_mm, view.right_mm()),
    }
}

/// A length in words, rounded to tenths of a millimetre.
pub fn length(mm: f64) -> String {
    Length::mm((mm * 10.0).round() / 10.0).to_string()
}

/// A time in words, rounded to tenths of a millisecond.
pub fn time(seconds: f64) -> String {
    Span::s((seconds * 1e4).round() / 1e4).to_string()
}

/// A speed in words, rounded down to millimetres per second, so that a greatest speed is never promised too high.
pub fn speed(mm_per_s: f64) -> String {
    Speed::mm_per_s(mm_per_s.floor()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Region;

    #[test]
    fn the_demonstration_line_by_hand() {
        let timing = Timing::of(&Config::default());
        assert_eq!((timing.view_middle, timing.view, timing.whole), (250.0, 320.0, 200.0));
        assert_eq!((timing.time_in_view, timing.looks), (0.4, 8.0));
        assert_eq!((timing.leaves_view, timing.reject_from), (350.0, 535.0));
        assert!((timing.slack - (185.0 / 500.0 - 0.03)).abs() < 1e-12);
        assert_eq!(speed(timing.greatest_speed()), "2m/s");
        assert_eq!(timing.least_gate_position, 350.0 + 65.0 + 15.0);
        assert_eq!(
            timing.parts_in_flight, 6.0,
            "(700 - 60 + 75 + 60) / 150 is 5.2: six parts are not over at once"
        );
    }

    #[test]
    fn the_least_gate_position_and_the_greatest_speed_leave_no_slack() {
        let mut config = Config::default();
        config.gate.position = Length::mm(Timing::of(&config).least_gate_position);
        assert!(Timing::of(&config).slack.abs() < 1e-12);
        let mut config = Config::default();
        config.line.speed = Speed::mm_per_s(Timing::of(&config).greatest_speed_for_gate);
        assert!(Timing::of(&config).slack.abs() < 1e-12);
        let mut config = Config::default();
        config.line.speed = Speed::mm_per_s(Timing::of(&config).greatest_speed_for_look);
        assert!((Timing::of(&config).looks - 2.0).abs() < 1e-12);
    }

    #[test]
    fn a_slow_model_leaves_less_slack_and_speed() {
        let timing = Timing::of(&Config::default());
        assert_eq!(timing.parts_in_view(150.0), 2.0);
        assert!((timing.slack_after(0.1) - (timing.slack - 0.1)).abs() < 1e-12);
        // 185 mm in 30 ms and 155 ms more.
        assert!((timing.greatest_speed_after(0.155) - 1000.0).abs() < 1e-6);
    }

    #[test]
    fn a_region_narrows_and_shifts_the_view() {
        let mut config = Config::default();
        config.preprocess.region = Some(Region { x: 320, y: 0, width: 320, height: 320 });
        let timing = Timing::of(&config);
        assert_eq!((timing.view_middle, timing.view), (330.0, 160.0));
        config.camera.kind = CameraKind::V4l;
        assert_eq!(Timing::of(&config).view, 160.0, "a camera is asked for this width");
        config.camera.kind = CameraKind::Folder;
        assert_eq!(Timing::of(&config).view, 320.0);
    }
}
