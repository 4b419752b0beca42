//! Heat maps of judged pictures, and how often they point at a defect whose place is known.

use std::collections::HashMap;
use std::path::Path;

use anyhow::Context as _;
use serde::Serialize;

use super::files::{LARGEST_LIST, write_png};
use super::judge::Judge;
use super::labelled::Labelled;
use crate::camera::picture::drop_false_colour;
use crate::config::manifest::Input;
use crate::frame::{Frame, PixelFormat};
use crate::model::read::trained;
use crate::printable::Printable as _;
use crate::regular;
use crate::score::located::Located;
use crate::train::explain::{Explainer, HeatMap};
use crate::verdict::Truth;
use crate::vision::Framing;
use crate::vision::overlay::overlay;

/// How far outside a defect's circle the peak may lie and still points at it, as a share of the picture's longer side.
const TOLERANCE: f64 = 0.04;

/// Makes heat maps with one model.
pub(crate) struct Heat {
    explainer: Explainer,
    input: Input,
}

/// A heat map in a picture's own pixels.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Seen {
    map: HeatMap,
    /// How the picture lies in the network's input.
    framing: Framing,
}

/// A heat map in JSON; the names are a stable interface, documented in `docs/json.md`.
#[derive(Debug, Serialize)]
pub(crate) struct Grid {
    rows: usize,
    columns: usize,
    /// Row by row: what each place adds to the logit of DEFECT.
    values: Vec<f32>,
    /// Where the greatest value lies, in pixels of the picture; null when nothing speaks for DEFECT.
    peak: Option<Point>,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct Point {
    x: f64,
    y: f64,
}

impl Heat {
    /// For the model at `path`, which `judge` judges by.
    ///
    /// # Errors
    /// When the model is not one that castgate wrote.
    pub(crate) fn open(path: &Path, judge: &Judge) -> anyhow::Result<Self> {
        let model = trained(path)?;
        let explainer = Explainer::new(model.network, &model.parameters, model.statistics, model.inverted);
        Ok(Self { explainer, input: judge.input().clone() })
    }

    /// The map of the picture that `judge` judged last; `None` when it did not get as far as the model.
    pub(crate) fn of_last(&mut self, judge: &Judge) -> Option<Seen> {
        let tensor = judge.last().1;
        let framing = judge.framing();
        (tensor.len() == self.input.len()).then(|| Seen { map: self.explainer.map(tensor), framing })
    }
}

impl Seen {
    fn peak(&self) -> Option<Point> {
        let tenths = |value: f64| (value * 10.0).round() / 10.0;
        self.map.peak().map(|(x, y)| {
            let (x, y) = self.framing.to_picture(x, y);
            Point { x: tenths(x), y: tenths(y) }
        })
    }

    pub(crate) fn grid(&self) -> Grid {
        let values = self.map.values.iter().map(|value| (value * 1e4).round() / 1e4).collect();
        Grid { rows: self.map.size.height, columns: self.map.size.width, values, peak: self.peak() }
    }

    /// Writes the map over the picture `frame` as PNG; the hottest place has the full colour, in every picture.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn save(&self, frame: &Frame, path: &Path) -> anyhow::Result<()> {
        let mut grey = frame.clone();
        drop_false_colour(&mut grey);
        let channels = grey.format.bytes();
        // What is shown below the colours needs no exact luma: green is most of it.
        let pixels: Vec<u8> = grey.pixels.iter().skip(channels / 2).step_by(channels).copied().collect();
        let most = self.map.most().max(f32::MIN_POSITIVE);
        let heat = |x: f64, y: f64| {
            let (x, y) = self.framing.to_input(x, y);
            self.map.at(x, y) / most
        };
        let pixels = overlay(&pixels, frame.width, heat);
        let shown = Frame {
            width: frame.width,
            height: frame.height,
            format: PixelFormat::Rgb8,
            pixels,
            ..Frame::default()
        };
        write_png(path, &shown)
    }
}

/// A circle that holds a defect, in pixels of the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Circle {
    x: f64,
    y: f64,
    radius: f64,
}

/// Reads the circles of `labels.csv` as `castgate draw` writes it: by file.
///
/// # Errors
/// The number of the line that is not of that form.
fn circles(csv: &str) -> Result<HashMap<&str, Vec<Circle>>, usize> {
    let mut found = HashMap::new();
    for (number, line) in csv.lines().enumerate().skip(1) {
        let (Some(file), Some(places)) = (line.split(',').next(), line.split(',').nth(3)) else {
            return Err(number + 1);
        };
        let circle = |text: &str| {
            let numbers: Vec<f64> = text.split(' ').map(str::parse).collect::<Result<_, _>>().ok()?;
            match numbers[..] {
                [x, y, radius] if numbers.iter().all(|n| n.is_finite()) => Some(Circle { x, y, radius }),
                _ => None,
            }
        };
        let places = places.split(';').filter(|text| !text.is_empty()).map(circle);
        found.insert(file, places.collect::<Option<_>>().ok_or(number + 1)?);
    }
    Ok(found)
}

/// Judges the pictures of defective parts below `data` again and compares their heat maps with the places in `labels.csv`.
///
/// # Errors
/// When `labels.csv` is missing or of another form, or the model cannot be looked into.
pub(crate) fn locate(model: &Path, data: &Path, pictures: &[Labelled]) -> anyhow::Result<Located> {
    let labels = data.join("labels.csv");
    let csv = regular::read_text(&labels, LARGEST_LIST).with_context(|| {
        format!(
            "cannot read {}, which holds the places of defects as `castgate draw` writes them",
            labels.shown()
        )
    })?;
    let circles = circles(&csv).map_err(|line| {
        anyhow::anyhow!(
            "{}:{line}: not `file,truth,defects,circles` as `castgate draw` writes it",
            labels.shown()
        )
    })?;
    let mut judge = Judge::new(model, None)?;
    let mut heat = Heat::open(model, &judge)?;
    let mut located = Located { images: 0, hits: 0, by_chance: 0.0, tolerance: TOLERANCE };
    for picture in pictures.iter().filter(|picture| picture.truth == Truth::Defect) {
        let Some(places) = circles.get(picture.name.as_str()).filter(|places| !places.is_empty()) else {
            continue;
        };
        // A file that cannot be read was told by the evaluation.
        if judge.judge(&picture.path).is_err() {
            continue;
        }
        let Some(seen) = heat.of_last(&judge) else { continue };
        let frame = judge.last().0;
        let beside = TOLERANCE * frame.width.max(frame.height) as f64;
        let hits = |x: f64, y: f64| places.iter().any(|at| (x - at.x).hypot(y - at.y) <= at.radius + beside);
        located.images += 1;
        located.hits += u64::from(seen.peak().is_some_and(|peak| hits(peak.x, peak.y)));
        located.by_chance += share_hit(frame, hits);
    }
    located.by_chance /= located.images.max(1) as f64;
    Ok(located)
}

/// Share of a picture's pixels that `hits`, on a grid of 64 x 64 points.
fn share_hit(frame: &Frame, hits: impl Fn(f64, f64) -> bool) -> f64 {
    let at = |i: usize, side: usize| (i as f64 + 0.5) / 64.0 * side as f64;
    let hit = (0..4096).filter(|i| hits(at(i % 64, frame.width), at(i / 64, frame.height))).count();
    hit as f64 / 4096.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_as_they_are_drawn_and_other_lines_are_named() {
        let csv =
            "file,truth,defects,circles\nok/a.png,ok,,\nbad/b.png,defect,crack;burr,1.0 2.0 3.5;4 5 6\n";
        let found = circles(csv).unwrap();
        assert!(found["ok/a.png"].is_empty());
        assert_eq!(found["bad/b.png"][0], Circle { x: 1.0, y: 2.0, radius: 3.5 });
        assert_eq!(found["bad/b.png"].len(), 2);
        for wrong in ["head\nonly,two", "head\na,b,c,1 2", "head\na,b,c,1 2 NaN", "head\na,b,c,x y z"] {
            assert_eq!(circles(wrong), Err(2), "{wrong}");
        }
    }
}
