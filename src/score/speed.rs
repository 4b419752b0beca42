//! How fast models are, by batch size: the table that `castgate bench` prints.

use std::fmt;

use serde::Serialize;

/// What was measured, in the order in which it was asked for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Speed {
    /// What the time of a picture holds: `model` alone, or `reading, preparing and model`.
    pub timed: &'static str,
    /// One for each model and batch size.
    pub rows: Vec<Row>,
}

/// One model at one batch size.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// The model's name.
    pub model: String,
    /// Trained parameters.
    pub parameters: u64,
    /// Size of its file in MiB.
    pub file_mib: f64,
    /// Multiply-adds for one picture.
    pub multiply_adds: u64,
    /// Pictures judged at once.
    pub batch: usize,
    /// The times, or why there are none.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What came of timing a model at one batch size.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Outcome {
    /// It ran.
    Timed(Times),
    /// It does not run so.
    Not {
        /// Why.
        not_timed: String,
    },
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Timed(times) => write!(f, "{:.2} ms a picture", times.median_ms),
            Outcome::Not { not_timed } => write!(f, "not timed: {not_timed}"),
        }
    }
}

impl Outcome {
    /// The times, if it ran.
    pub fn times(&self) -> Option<&Times> {
        match self {
            Outcome::Timed(times) => Some(times),
            Outcome::Not { .. } => None,
        }
    }
}

/// How long one picture took, over several passes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Times {
    /// Pictures of one pass.
    pub pictures: usize,
    /// Passes that were timed.
    pub passes: usize,
    /// Milliseconds for a picture in the fastest pass.
    pub min_ms: f64,
    /// In the pass in the middle.
    pub median_ms: f64,
    /// In the slowest pass.
    pub max_ms: f64,
    /// The median as a multiple of the first model's at the same batch size, once that is known.
    pub times_first: Option<f64>,
}

impl Times {
    /// From the seconds of each pass over `pictures` pictures; `None` without a pass or picture.
    pub fn of(pictures: usize, passes: &[f64]) -> Option<Self> {
        let mut ms: Vec<f64> = passes.iter().map(|seconds| seconds * 1e3 / pictures as f64).collect();
        ms.sort_by(f64::total_cmp);
        let (&min_ms, &max_ms) = ms.first().zip(ms.last())?;
        let (low, high) = (ms[(ms.len() - 1) / 2], ms[ms.len() / 2]);
        let median_ms = f64::midpoint(low, high);
        (pictures > 0).then_some(Self {
            pictures,
            passes: ms.len(),
            min_ms,
            median_ms,
            max_ms,
            times_first: None,
        })
    }
}

impl Speed {
    /// Compares every row with the first model's at the same batch size.
    pub fn compare(&mut self) {
        let Some(first) = self.rows.first().map(|row| row.model.clone()) else { return };
        let base: Vec<(usize, f64)> = self
            .rows
            .iter()
            .filter(|row| row.model == first)
            .filter_map(|row| Some((row.batch, row.outcome.times()?.median_ms)))
            .collect();
        for row in &mut self.rows {
            let base = base.iter().find(|(batch, _)| *batch == row.batch);
            if let (Outcome::Timed(times), Some((_, base))) = (&mut row.outcome, base) {
                times.times_first = (*base > 0.0).then(|| times.median_ms / base);
            }
        }
    }
}

/// Four significant digits.
fn short(ms: f64) -> String {
    let digits = match ms {
        ms if ms >= 1000.0 => 0,
        ms if ms >= 100.0 => 1,
        ms if ms >= 10.0 => 2,
        _ => 3,
    };
    format!("{ms:.digits$}")
}

impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.rows.iter().map(|row| row.model.chars().count()).max().unwrap_or(0).max(5);
        writeln!(f, "milliseconds a picture, one thread; timed: {}", self.timed)?;
        writeln!(
            f,
            "{:width$}  parameters     MiB  multiply-adds  batch     median        min        max  x first",
            "model"
        )?;
        for row in &self.rows {
            write!(
                f,
                "{:width$}  {:>10}  {:>6.2}  {:>11.1} M  {:>5}  ",
                row.model,
                row.parameters,
                row.file_mib,
                row.multiply_adds as f64 / 1e6,
                row.batch
            )?;
            match &row.outcome {
                Outcome::Timed(times) => {
                    let compared = times.times_first.map_or("-".to_owned(), |times| format!("{times:.2}"));
                    let [median, min, max] = [times.median_ms, times.min_ms, times.max_ms].map(short);
                    writeln!(f, "{median:>9}  {min:>9}  {max:>9}  {compared:>7}")?;
                }
                Outcome::Not { not_timed } => writeln!(f, "not timed: {not_timed}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(model: &str, batch: usize, outcome: Outcome) -> Row {
        let model = model.to_owned();
        Row { model, parameters: 5865, file_mib: 0.03, multiply_adds: 95_100_000, batch, outcome }
    }

    #[test]
    fn the_middle_pass_counts_and_is_compared_at_the_same_batch_size() {
        let times = |passes: &[f64]| Outcome::Timed(Times::of(10, passes).unwrap());
        let small = times(&[0.4, 0.1, 0.2]);
        assert_eq!(small.times().map(|times| times.median_ms), Some(20.0));
        let mut speed = Speed {
            timed: "model",
            rows: vec![
                row("small", 1, small),
                row("small", 50, Outcome::Not { not_timed: "it needs 9 MiB".to_owned() }),
                row("large", 1, times(&[1.0, 2.0])),
                row("large", 50, times(&[0.5])),
            ],
        };
        speed.compare();
        let ratios: Vec<_> =
            speed.rows.iter().map(|row| row.outcome.times().and_then(|times| times.times_first)).collect();
        assert_eq!(ratios, [Some(1.0), None, Some(7.5), None]);
        assert_eq!(
            speed.to_string(),
            "\
milliseconds a picture, one thread; timed: model
model  parameters     MiB  multiply-adds  batch     median        min        max  x first
small        5865    0.03         95.1 M      1      20.00      10.00      40.00     1.00
small        5865    0.03         95.1 M     50  not timed: it needs 9 MiB
large        5865    0.03         95.1 M      1      150.0      100.0      200.0     7.50
large        5865    0.03         95.1 M     50      50.00      50.00      50.00        -
"
        );
        assert_eq!(Times::of(0, &[1.0]), None);
        assert_eq!(Times::of(5, &[]), None);
    }
}
