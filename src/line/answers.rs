//! Whether the model is fast enough for the line on this machine.
//!
//! Measures the model where the configuration does not say how long it takes, and holds that against the slack before the gate. Must
//! not know who asks: a check tells everything, a line opens only without a hurdle.

use std::time::Duration;

use crate::clock::thread_time;
use crate::config::Config;
use crate::config::timing::{Timing, speed, time};
use crate::model::Classifier;

/// How long the answers for one frame take.
pub(super) struct Answers {
    answers_s: f64,
    /// What of it the configuration's own slack does not count yet, in seconds.
    uncounted_s: f64,
    how: &'static str,
}

/// Why the model is too slow for the line, and at which key to mend it.
#[derive(Debug)]
pub(super) struct Hurdle {
    pub(super) key: &'static str,
    pub(super) what: String,
}

impl Answers {
    /// As the configuration says, or else as measured now, with `model`.
    pub(super) fn of(config: &Config, model: &mut dyn Classifier) -> Self {
        match config.decide.inference {
            Some(given) => {
                Self { answers_s: given.as_s(), uncounted_s: 0.0, how: "as `decide.inference` says" }
            }
            None => {
                let measured = measure(config, model);
                Self { answers_s: measured, uncounted_s: measured, how: "measured on this machine" }
            }
        }
    }

    fn slack_s(&self, config: &Config) -> f64 {
        Timing::of(config).slack_after(self.uncounted_s)
    }

    /// Everything that the model is too slow for.
    pub(super) fn hurdles(&self, config: &Config) -> Vec<Hurdle> {
        let (stale, slack, answers) = (config.decide.stale_after, self.slack_s(config), time(self.answers_s));
        let mut hurdles = Vec::new();
        if stale.as_s() <= self.answers_s {
            let what = format!(
                "after {stale} every picture would be too old: the answers for a frame take {answers} ({})",
                self.how
            );
            hurdles.push(Hurdle { key: "decide.stale_after", what });
        }
        if slack < 0.0 {
            let what = format!(
                "the answers for a frame take {answers} ({}), {} more than the slack before the gate; right would be at most {}",
                self.how,
                time(-slack),
                speed(Timing::of(config).greatest_speed_after(self.uncounted_s))
            );
            hurdles.push(Hurdle { key: "line.speed", what });
        }
        hurdles
    }

    /// What is left for a faster belt; `None` when the model is too slow for this one.
    pub(super) fn room(&self, config: &Config) -> Option<String> {
        let slack = self.slack_s(config);
        (slack >= 0.0).then(|| {
            format!(
                "with a frame's answers in {} ({}) {} of slack are left; the belt may run at {}",
                time(self.answers_s),
                self.how,
                time(slack),
                speed(Timing::of(config).greatest_speed_after(self.uncounted_s))
            )
        })
    }
}

/// The middle one of some answers once the model is warm, for as many parts as can be in view at once, in seconds of the processor. A
/// board that is busy at the start does not make its model too slow; whether answers come late then is told while the line runs.
fn measure(config: &Config, model: &mut dyn Classifier) -> f64 {
    const ANSWERS: usize = 12;
    let input = vec![0.0; model.input().len()];
    let mut times = [Duration::ZERO; ANSWERS];
    for time in &mut times {
        let began = thread_time();
        // Whether it can judge this picture at all does not matter here.
        let _ = model.score(&input);
        *time = thread_time().saturating_sub(began);
    }
    times.sort_unstable();
    times[ANSWERS / 2].as_secs_f64() * Timing::of(config).parts_in_view(config.line.min_pitch.as_mm())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Span;

    #[test]
    fn a_slow_model_is_told_with_the_key_that_mends_it() {
        let config = Config::default();
        let answers =
            |answers_s| Answers { answers_s, uncounted_s: answers_s, how: "measured on this machine" };
        assert!(answers(0.001).hurdles(&config).is_empty());
        assert!(answers(0.001).room(&config).is_some());
        let slow = answers(config.decide.stale_after.as_s() + 5.0);
        let keys: Vec<_> = slow.hurdles(&config).iter().map(|hurdle| hurdle.key).collect();
        assert_eq!(keys, ["decide.stale_after", "line.speed"]);
        assert_eq!(slow.room(&config), None);
        let patient = Config {
            decide: crate::config::Decide { stale_after: Span::ms(20.0), ..Config::default().decide },
            ..Config::default()
        };
        let keys: Vec<_> = answers(0.030).hurdles(&patient).iter().map(|hurdle| hurdle.key).collect();
        assert_eq!(keys, ["decide.stale_after"]);
    }
}
