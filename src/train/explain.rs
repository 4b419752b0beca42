//! Heat maps: where in a picture a trained network sees a defect.
//!
//! Owns the map and its places in the picture. Must not know how it is shown.
//!
//! Each place of a block's map is given what it adds to the logit: activation times gradient, summed over channels. Behind the last
//! block this is Grad-CAM (R. R. Selvaraju et al., "Grad-CAM: visual explanations from deep networks via gradient-based localization",
//! ICCV 2017), since the mean that follows gives all places of a channel one gradient; in front of it, HiResCAM (R. L. Draelos,
//! L. Carin, "Use HiResCAM instead of Grad-CAM for faithful explanations", arXiv:2011.08891), which is finer.

use super::pass::Pass;
use crate::kernels::MapSize;
use crate::network::{Network, Padded, Statistics};

/// What each place of a picture adds to the score.
#[derive(Debug, Clone, PartialEq)]
pub struct HeatMap {
    /// Rows and columns.
    pub size: MapSize,
    /// Row by row, at least 0: what a place adds to the logit of DEFECT. What speaks for OK counts as 0.
    pub values: Vec<f32>,
    /// Middle of the first place in pixels of the network's input, from its upper left corner; right and down alike.
    pub first: f64,
    /// Distance of two places in the same pixels.
    pub step: f64,
    /// Logit of DEFECT for the whole picture.
    pub logit: f32,
}

/// Makes heat maps with one network.
pub struct Explainer {
    network: Network,
    padded: Padded<f32>,
    statistics: Statistics,
    pass: Pass<f32>,
    layer: usize,
    sign: f32,
}

impl Explainer {
    /// For a network with these parameters, in the order of its slots, and statistics. `inverted` when its output is the probability
    /// of OK.
    ///
    /// # Panics
    /// When `parameters` or `statistics` are not of this network.
    pub fn new(network: Network, parameters: &[f32], statistics: Statistics, inverted: bool) -> Self {
        let mut padded = Padded::zero(&network);
        padded.fill(&network, parameters);
        let pass = Pass::new(&network, 0, 1);
        let layer = explained(&network);
        Self { network, padded, statistics, pass, layer, sign: if inverted { -1.0 } else { 1.0 } }
    }

    /// The heat map of one picture, normalised as the network wants it.
    ///
    /// # Panics
    /// When `input` has not the size of the network's input.
    pub fn map(&mut self, input: &[f32]) -> HeatMap {
        if let Some(first) = self.pass.forward.inputs().next() {
            first.copy_from_slice(input);
        }
        let (logit, values) =
            self.pass.contributions(&self.network, &self.padded, &self.statistics, self.layer);
        // Back through the blocks: a convolution without border moves the map by one pixel, pooling joins two, a stride leaves every second out.
        let (mut first, mut step) = (0.0, 1.0);
        for stage in self.network.stages()[..=self.layer].iter().rev() {
            if stage.block.pool {
                (first, step) = (2.0 * first + 0.5, 2.0 * step);
            }
            let stride = stage.block.stride() as f64;
            (first, step) = (stride * first + 1.0, stride * step);
        }
        HeatMap {
            size: self.network.stages()[self.layer].output,
            values: values.into_iter().map(|value| (value * self.sign).max(0.0)).collect(),
            first: first + 0.5,
            step,
            logit: logit * self.sign,
        }
    }
}

/// The block whose map is shown: the last one that pools or strides. Behind it the map is no finer, and each place sees more of the picture.
fn explained(network: &Network) -> usize {
    let stages = network.stages();
    stages.iter().rposition(|stage| stage.block.pool || stage.block.strided).unwrap_or(stages.len() - 1)
}

impl HeatMap {
    /// The greatest value.
    pub fn most(&self) -> f32 {
        self.values.iter().copied().fold(0.0, f32::max)
    }

    /// Where the greatest value lies, in pixels of the network's input: x, y. `None` when nothing speaks for DEFECT.
    pub fn peak(&self) -> Option<(f64, f64)> {
        let at = (0..self.values.len()).max_by(|&a, &b| self.values[a].total_cmp(&self.values[b]))?;
        let place = |index: usize| self.first + index as f64 * self.step;
        (self.values[at] > 0.0).then(|| (place(at % self.size.width), place(at / self.size.width)))
    }

    /// The value at a point of the network's input, bilinear between places; outside them the nearest.
    pub fn at(&self, x: f64, y: f64) -> f32 {
        let index = |at: f64, end: usize| ((at - self.first) / self.step).clamp(0.0, (end - 1) as f64);
        let (x, y) = (index(x, self.size.width), index(y, self.size.height));
        let (left, top) = (x as usize, y as usize);
        let (right, low) = ((left + 1).min(self.size.width - 1), (top + 1).min(self.size.height - 1));
        let (fx, fy) = ((x - left as f64) as f32, (y - top as f64) as f32);
        let value = |row: usize, column: usize| self.values[row * self.size.width + column];
        let upper = value(top, left) * (1.0 - fx) + value(top, right) * fx;
        let lower = value(low, left) * (1.0 - fx) + value(low, right) * fx;
        upper * (1.0 - fy) + lower * fy
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_pcg::Pcg64;

    use super::*;
    use crate::network::initial;

    /// Input 24 x 24, two convolutions and a pooling.
    fn explainer(inverted: bool) -> Explainer {
        let network = Network::parse("8np-8-d8", MapSize { height: 24, width: 24 }).unwrap();
        let parameters = initial(&network, &mut Pcg64::seed_from_u64(5));
        let statistics = Statistics::unit(&network);
        Explainer::new(network, &parameters, statistics, inverted)
    }

    #[test]
    fn places_of_the_map_lie_in_the_picture_where_their_pixels_do() {
        let map = explainer(false).map(&[0.0; 24 * 24]);
        assert_eq!((map.size, map.first, map.step), (MapSize { height: 11, width: 11 }, 2.0, 2.0));
        // A dot changes only what sees it, and the map changes there.
        let mut input = [0.1; 24 * 24];
        let even = explainer(false).map(&input);
        input[15 * 24 + 9] = 3.0;
        let dotted = explainer(false).map(&input);
        let far = dotted.values[0] - even.values[0];
        let changed = (0..121).max_by(|&a, &b| {
            let by = |i: usize| (dotted.values[i] - even.values[i] - far).abs();
            by(a).total_cmp(&by(b))
        });
        let at = changed.unwrap();
        let (x, y) = (2.0 + 2.0 * (at % 11) as f64, 2.0 + 2.0 * (at / 11) as f64);
        assert!((x - 9.5).abs() <= 2.5 && (y - 15.5).abs() <= 2.5, "{x} {y}");
    }

    #[test]
    fn the_other_class_turns_the_map_round() {
        let input: Vec<f32> = (0..576).map(|i| (i * 31 % 97) as f32 / 97.0).collect();
        let (map, other) = (explainer(false).map(&input), explainer(true).map(&input));
        assert_eq!(map.logit, -other.logit);
        assert!(map.values.iter().zip(&other.values).all(|(a, b)| *a == 0.0 || *b == 0.0));
        let (x, y) = map.peak().unwrap();
        assert_eq!(map.at(x, y), map.most());
        assert!(map.values.iter().any(|value| *value > 0.0));
    }
}
