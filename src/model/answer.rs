//! From the numbers of a model to the one score: which number is the probability of DEFECT, and is it one at all. Pure.

use crate::config::manifest::{Output, OutputKind};
use crate::verdict::Score;

use super::ModelFault;

/// How far rounding may carry a probability outside 0 to 1: float32 with the engine's approximated sigmoid.
const ROUNDING: f32 = 1e-5;
/// How far the probabilities of all classes may add up to something other than 1.
const WHOLE: f32 = 1e-3;

/// How the model's numbers are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Answer {
    kind: OutputKind,
    /// Index of the class that counts as DEFECT.
    defect: usize,
}

impl Answer {
    /// From a checked manifest, where `defect` is one of the classes.
    pub(super) fn new(output: &Output) -> Self {
        let defect = output.classes.iter().position(|class| *class == output.defect);
        Self {
            kind: output.kind,
            defect: defect.expect("a checked manifest has its defect among its classes"),
        }
    }

    /// The score in the model's numbers; `raw` are those from before its last sigmoid or softmax, if that is known.
    ///
    /// # Errors
    /// When they are not probabilities: the model is at fault. The engine's vectorised sigmoid turns NaN into 0 or 1, so
    /// that only `raw` shows it.
    pub(super) fn score(self, numbers: &[f32], raw: &[f32]) -> Result<Score, ModelFault> {
        if let Some(&number) = raw.iter().find(|number| !number.is_finite()) {
            return Err(ModelFault::NotFinite(number));
        }
        let bare = matches!(self.kind, OutputKind::Logit | OutputKind::Logits);
        for &number in numbers {
            if !number.is_finite() {
                return Err(ModelFault::NotFinite(number));
            }
            if !bare && !(-ROUNDING..=1.0 + ROUNDING).contains(&number) {
                return Err(ModelFault::OutOfRange(number));
            }
        }
        let defect = match (self.kind, numbers) {
            (OutputKind::Sigmoid, &[second]) if self.defect == 1 => second,
            (OutputKind::Sigmoid, &[second]) => 1.0 - second,
            (OutputKind::Softmax, _) if self.defect < numbers.len() => {
                let sum: f32 = numbers.iter().sum();
                if (sum - 1.0).abs() > WHOLE {
                    return Err(ModelFault::NotAWhole(sum));
                }
                numbers[self.defect]
            }
            (OutputKind::Logit, &[second]) => {
                let second = sigmoid(second);
                if self.defect == 1 { second } else { 1.0 - second }
            }
            (OutputKind::Logits, &[first, second]) => {
                let second = sigmoid(second - first);
                if self.defect == 1 { second } else { 1.0 - second }
            }
            _ => return Err(ModelFault::Engine(format!("{} numbers came out", numbers.len()))),
        };
        Score::new(defect.clamp(0.0, 1.0)).ok_or(ModelFault::OutOfRange(defect))
    }
}

/// Of two classes, softmax is the sigmoid of their difference. A difference beyond what float32 holds is as certain as can be.
fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(kind: OutputKind, defect: &str) -> Answer {
        let classes = vec!["ok".to_owned(), "defect".to_owned()];
        Answer::new(&Output { name: None, kind, classes, defect: defect.to_owned() })
    }

    #[test]
    fn the_class_that_counts_as_defect_gives_the_score() {
        let score = |answer: Answer, numbers: &[f32]| answer.score(numbers, &[]).unwrap().get();
        assert_eq!(score(answer(OutputKind::Sigmoid, "defect"), &[0.25]), 0.25);
        assert_eq!(score(answer(OutputKind::Sigmoid, "ok"), &[0.25]), 0.75);
        assert_eq!(score(answer(OutputKind::Softmax, "defect"), &[0.75, 0.25]), 0.25);
        assert_eq!(score(answer(OutputKind::Softmax, "ok"), &[0.75, 0.25]), 0.75);
        assert_eq!(score(answer(OutputKind::Logit, "defect"), &[0.0]), 0.5);
        assert!((score(answer(OutputKind::Logit, "ok"), &[3f32.ln()]) - 0.25).abs() < 1e-6);
        assert!((score(answer(OutputKind::Logits, "defect"), &[1.0, 1.0 + 3f32.ln()]) - 0.75).abs() < 1e-6);
        assert_eq!(score(answer(OutputKind::Logits, "ok"), &[3e38, -3e38]), 1.0);
    }

    #[test]
    fn what_is_no_probability_is_a_fault_and_rounding_is_not() {
        let sigmoid = answer(OutputKind::Sigmoid, "defect");
        assert!(matches!(sigmoid.score(&[f32::NAN], &[]), Err(ModelFault::NotFinite(_))));
        assert!(matches!(sigmoid.score(&[f32::INFINITY], &[]), Err(ModelFault::NotFinite(_))));
        assert_eq!(sigmoid.score(&[1.5], &[]), Err(ModelFault::OutOfRange(1.5)));
        assert_eq!(sigmoid.score(&[-0.1], &[]), Err(ModelFault::OutOfRange(-0.1)));
        assert_eq!(sigmoid.score(&[1.000_001], &[]).unwrap().get(), 1.0);
        assert!(matches!(sigmoid.score(&[], &[]), Err(ModelFault::Engine(_))));
        assert!(matches!(sigmoid.score(&[1.0], &[f32::NAN]), Err(ModelFault::NotFinite(_))));
        let softmax = answer(OutputKind::Softmax, "defect");
        assert!(matches!(softmax.score(&[0.9, 0.9], &[]), Err(ModelFault::NotAWhole(_))));
        assert!(matches!(softmax.score(&[0.9, f32::NAN], &[]), Err(ModelFault::NotFinite(_))));
    }
}
