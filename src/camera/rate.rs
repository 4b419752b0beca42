//! How many frames a camera really gives, against what it promised, and what follows for the parts.
//!
//! What a camera announces is not to be trusted: its automatic takes longer exposures where light is poor, a bus that is full loses
//! frames. Pure: told of each frame, it says when the line must be told.

use std::time::Duration;

use crate::clock::Time;
use crate::config::timing::{Timing, looks_needed};
use crate::config::{CameraKind, Config, Pace, Trigger};
use crate::units::Rate;

/// The first frames of a camera come when they come.
const SETTLES: Duration = Duration::from_secs(1);
/// A rate is measured for at least so long, and over at least [`FRAMES`] frames.
const WINDOW: Duration = Duration::from_secs(3);
/// See [`WINDOW`].
const FRAMES: u32 = 8;
/// Fewer frames say nothing, however long they take.
const FEWEST: u32 = 4;
/// Below this share of what was promised a camera is slow, and from the second on it is well again.
pub const SLOW: f64 = 0.85;
/// See [`SLOW`].
const WELL: f64 = 0.93;
/// Two lines are at least so far apart.
const QUIET: Duration = Duration::from_secs(20);

/// How a part is seen.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Looks {
    /// Seconds for which it is wholly in view.
    in_view: f64,
    needed: f64,
}

/// How well the camera keeps its promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Well,
    /// It gives fewer frames, and each part is still seen often enough.
    Slow,
    /// Parts are not seen often enough.
    TooSlow,
}

/// A stretch of time in which frames are counted.
#[derive(Debug, Clone, Copy)]
struct Window {
    from: Time,
    frames: u32,
    /// Of these, such that came after a silence in which the camera counted as lost.
    after_silence: u32,
}

/// A line for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Whether it is a trouble, and not its end.
    pub slow: bool,
    /// What is to be said.
    pub text: String,
}

/// Measures one camera.
#[derive(Debug, Clone)]
pub struct RateWatch {
    kind: CameraKind,
    promised: Rate,
    looks: Option<Looks>,
    /// After a longer silence the camera counts as lost.
    lost_after: Duration,
    begun: Option<Time>,
    last: Option<Time>,
    window: Option<Window>,
    measured: Option<f64>,
    told: (Level, Option<Time>),
}

impl RateWatch {
    /// For the camera that `config` describes; `None` where none promises anything.
    pub fn of(config: &Config) -> Option<Self> {
        let camera = &config.camera;
        if camera.kind == CameraKind::Folder && camera.pace == Pace::Full {
            return None;
        }
        let looks = (config.decide.trigger != Trigger::EveryFrame)
            .then(|| Looks { in_view: Timing::of(config).time_in_view, needed: looks_needed(config) });
        Some(Self {
            kind: camera.kind,
            promised: camera.rate,
            looks,
            lost_after: camera.lost_after.duration(),
            begun: None,
            last: None,
            window: None,
            measured: None,
            told: (Level::Well, None),
        })
    }

    /// Frames a second that were measured last.
    pub fn measured(&self) -> Option<f64> {
        self.measured
    }

    /// Frames a second that were promised.
    pub fn promised(&self) -> f64 {
        self.promised.as_per_s()
    }

    /// A frame arrived at `at` that no other showed before; the device has agreed to so many a second. What is to be told, if anything is.
    pub fn frame(&mut self, at: Time, agreed: Option<f64>) -> Option<Told> {
        let last = self.last.replace(at).unwrap_or(at);
        if at < last {
            // Its clock jumped: it begins anew.
            (self.begun, self.window) = (None, None);
        }
        if at - *self.begun.get_or_insert(at) < SETTLES {
            return None;
        }
        let fresh = Window { from: at, frames: 0, after_silence: 0 };
        let Some(window) = &mut self.window else {
            self.window = Some(fresh);
            return None;
        };
        window.frames += 1;
        window.after_silence += u32::from(at - last >= self.lost_after);
        let (span, Window { frames, after_silence, .. }) = (at - window.from, *window);
        if span < WINDOW || (frames < FRAMES && (span < 4 * WINDOW || frames < FEWEST)) {
            return None;
        }
        self.window = Some(fresh);
        if after_silence > 0 && 2 * after_silence < frames {
            // It was away for a while, which is told as its loss; one that keeps still before most of its frames is slow.
            return None;
        }
        let rate = f64::from(frames) / span.as_secs_f64();
        self.measured = Some(rate);
        self.tell(rate, agreed, at)
    }

    fn tell(&mut self, rate: f64, agreed: Option<f64>, at: Time) -> Option<Told> {
        let (before, told_at) = self.told;
        let kept = rate / self.promised();
        let slow = kept < if before == Level::Well { SLOW } else { WELL };
        let level = match self.looks {
            _ if !slow => Level::Well,
            Some(looks) if rate * looks.in_view < looks.needed + 1.0 => Level::TooSlow,
            _ => Level::Slow,
        };
        if level == before || told_at.is_some_and(|told_at| at - told_at < QUIET) {
            return None;
        }
        self.told = (level, Some(at));
        let text = match level {
            Level::Well => format!("the camera gives {rate:.1} frames a second again"),
            _ => self.words(rate, agreed),
        };
        Some(Told { slow: level != Level::Well, text })
    }

    fn words(&self, rate: f64, agreed: Option<f64>) -> String {
        let promised = self.promised();
        let follows = match self.looks {
            None => "each frame is a part, and parts that come faster are not seen".to_owned(),
            Some(Looks { in_view, needed }) => {
                let looks = rate * in_view;
                let so = match looks {
                    _ if looks < needed => "parts are rejected as no_frame",
                    _ if looks < needed + 1.0 => "some parts are rejected as no_frame",
                    _ => "that is still enough",
                };
                format!("a part is seen whole {looks:.1} times and needs {needed} (`decide.min_looks`): {so}")
            }
        };
        let agreed = agreed.filter(|agreed| *agreed < promised * WELL);
        let remedy = match (self.kind, agreed) {
            (CameraKind::V4l, Some(agreed)) if rate > agreed * SLOW => {
                return format!(
                    "the camera gives {rate:.1} frames a second, not the {promised:.1} of `camera.rate`: its driver agreed to {agreed:.1} at this size \
                     and format; {follows}; choose others (`castgate camera show`), or lower `camera.rate`"
                );
            }
            (CameraKind::V4l, _) => {
                "give it more light, set a shorter `camera.exposure` or `v4l2-ctl -c exposure_dynamic_framerate=0`, keep its bus free, or lower \
                 `camera.rate`"
            }
            (CameraKind::Folder | CameraKind::Simulated, _) => {
                "this machine makes its pictures no faster: lower `camera.rate`"
            }
        };
        format!(
            "the camera gives {rate:.1} frames a second, not the {promised:.1} of `camera.rate`: {follows}; {remedy}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn watch(change: impl FnOnce(&mut Config)) -> RateWatch {
        let mut config = Config::default();
        config.camera.kind = CameraKind::V4l;
        config.decide.trigger = Trigger::Vision;
        change(&mut config);
        RateWatch::of(&config).unwrap()
    }

    /// Frames at a rate for so many seconds; what is told, each with its second.
    fn run(watch: &mut RateWatch, now: &mut f64, rate: f64, seconds: f64) -> Vec<(f64, String)> {
        let until = *now + seconds;
        let mut told = Vec::new();
        while *now < until {
            *now += 1.0 / rate;
            told.extend(watch.frame(Time::ZERO.plus_s(*now), None).map(|line| (*now, line.text)));
        }
        told
    }

    #[test]
    fn both_rates_and_what_follows_are_told_once_and_so_is_the_end_of_it() {
        let (mut watch, mut now) = (watch(|_| {}), 0.0);
        assert!(run(&mut watch, &mut now, 20.0, 10.0).is_empty());
        let told = run(&mut watch, &mut now, 5.0, 60.0);
        let wanted = "the camera gives 5.0 frames a second, not the 20.0 of `camera.rate`: a part is seen whole 2.0 times and needs 2 \
                      (`decide.min_looks`): some parts are rejected as no_frame; give it more light, set a shorter `camera.exposure` or \
                      `v4l2-ctl -c exposure_dynamic_framerate=0`, keep its bus free, or lower `camera.rate`";
        assert_eq!(told.len(), 1, "{told:?}");
        // A window may hold frames of before: then a rate between the two is told.
        assert!(told[0].1.contains("not the 20.0") && told[0].0 < 20.0, "{told:?}");
        assert_eq!(watch.words(5.0, None), wanted);
        let told = run(&mut watch, &mut now, 20.0, 60.0);
        assert_eq!((told.len(), watch.measured().map(f64::round)), (1, Some(20.0)), "{told:?}");
        assert!(told[0].1.ends_with("frames a second again"));
    }

    #[test]
    fn what_the_driver_agreed_to_is_named_where_it_is_the_cause() {
        let watch = watch(|config| config.decide.min_looks = 9);
        let told = watch.words(14.9, Some(15.0));
        assert!(told.contains("its driver agreed to 15.0 at this size and format; a part is seen whole 6.0 times and needs 9"), "{told}");
        assert!(told.contains("parts are rejected as no_frame; choose others"), "{told}");
        assert!(watch.words(7.0, Some(15.0)).contains("more light"), "slower than that, too");
        assert!(watch.words(14.9, Some(20.0)).contains("more light"));
    }

    #[test]
    fn a_camera_that_is_away_is_not_slow() {
        let (mut watch, mut now) = (watch(|_| {}), 0.0);
        for _ in 0..10 {
            assert!(run(&mut watch, &mut now, 20.0, 2.5).is_empty());
            now += 3.0;
        }
    }

    #[test]
    fn a_camera_that_is_silent_before_each_frame_is_slow() {
        let (mut watch, mut now) = (watch(|_| {}), 0.0);
        let told = run(&mut watch, &mut now, 0.8, 30.0);
        assert!(told.len() == 1 && told[0].1.contains("gives 0.8 frames a second"), "{told:?}");
    }

    #[test]
    fn where_each_frame_is_a_part_no_looks_are_counted_and_at_full_pace_nothing_is() {
        let (mut watch, mut now) = (watch(|config| config.decide.trigger = Trigger::EveryFrame), 0.0);
        let told = run(&mut watch, &mut now, 12.0, 30.0);
        assert!(told[0].1.contains("each frame is a part"), "{told:?}");
        let mut config = Config::default();
        (config.camera.kind, config.camera.pace) = (CameraKind::Folder, Pace::Full);
        assert!(RateWatch::of(&config).is_none());
        config.camera.pace = Pace::Rate;
        let folder = RateWatch::of(&config).unwrap();
        assert!(
            folder
                .words(3.0, None)
                .ends_with("this machine makes its pictures no faster: lower `camera.rate`")
        );
    }

    proptest! {
        /// Whatever a camera does, two lines are some seconds apart, and a steady one is told at most once.
        #[test]
        fn lines_are_few(rates in proptest::collection::vec(0.5f64..40.0, 1..12), lasts in 2.0f64..30.0) {
            let (mut watch, mut now, mut told) = (watch(|_| {}), 0.0, Vec::new());
            for rate in &rates {
                told.extend(run(&mut watch, &mut now, *rate, lasts));
            }
            prop_assert!(told.windows(2).all(|two| two[1].0 - two[0].0 >= QUIET.as_secs_f64()));
            prop_assert!(rates.len() > 1 || told.len() <= 1);
        }

        #[test]
        fn any_order_of_times_is_taken(times: Vec<u64>) {
            let mut watch = watch(|_| {});
            for at in times {
                let _ = watch.frame(Time::from_nanos(at), Some(f64::NAN));
            }
        }
    }
}
