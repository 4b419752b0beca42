//! Structured pruning: whole channels are taken out of a trained network, and the one that is left is a real, smaller network.
//!
//! Owns which channels matter least and what becomes of the weights around them. Must not know pictures or how the rest is trained on.
//!
//! A channel matters as much as it moves what comes after it: the standard deviation of what it gives (in which the scale of batch
//! normalisation and the activation are contained; Z. Liu et al., "Learning efficient convolutional networks through network slimming",
//! ICCV 2017) times the length of the weights that take it. Within a block these are divided by their root mean square (P. Molchanov et al.,
//! "Pruning convolutional neural networks for resource efficient inference", ICLR 2017), so that blocks can be compared, and then by the
//! work that the channel costs.

use crate::network::{Block, Moments, Network, Slot, Stage, Statistics, lanes_of};

/// A network with its weights and statistics.
#[derive(Debug, Clone, PartialEq)]
pub struct Grown {
    /// Blocks and sizes.
    pub network: Network,
    /// In the order of the network's slots.
    pub parameters: Vec<f32>,
    /// Of normalisation.
    pub statistics: Statistics,
}

/// Fewest channels that a block keeps.
const LEAST_CHANNELS: usize = 2;

impl Grown {
    /// Takes channels out, the least important first, until at most `multiply_adds` are left; `None` when no channel can be spared any
    /// more. `outputs` are mean and variance of what each channel of each block gives. What a channel gives on average goes on as a constant
    /// in the biases of those that took it, which is exact for a channel that does not vary.
    pub fn without_least(&self, outputs: &[Moments], multiply_adds: usize) -> Option<Grown> {
        let mut keep: Vec<Vec<usize>> =
            self.network.stages().iter().map(|stage| (0..stage.block.channels).collect()).collect();
        let mut order = self.order(outputs);
        let mut smaller = None;
        while let Some((_, at, channel)) = order.pop() {
            if keep[at].len() <= LEAST_CHANNELS {
                continue;
            }
            keep[at].retain(|&kept| kept != channel);
            let network = self.narrowed(&keep)?;
            let enough = network.multiply_adds() <= multiply_adds;
            smaller = Some(network);
            if enough {
                break;
            }
        }
        smaller.map(|network| self.moved(network, &keep, outputs))
    }

    /// Every channel with its importance for its cost, the most important first.
    fn order(&self, outputs: &[Moments]) -> Vec<(f64, usize, usize)> {
        let total = self.network.multiply_adds() as f64;
        let mut order = Vec::new();
        for (at, stage) in self.network.stages().iter().enumerate() {
            let channels = stage.block.channels;
            let moves =
                |channel: usize| outputs[at].variance[channel].max(0.0).sqrt() * self.taken(at, channel);
            let importance: Vec<f64> = (0..channels).map(moves).collect();
            let square = importance.iter().map(|value| value * value).sum::<f64>() / channels as f64;
            let all: Vec<usize> = (1..channels).collect();
            let mut keep: Vec<Vec<usize>> =
                self.network.stages().iter().map(|stage| (0..stage.block.channels).collect()).collect();
            keep[at] = all;
            // A block of one channel cannot lose it, whatever it costs.
            let saved = self.narrowed(&keep).map_or(1.0, |less| total - less.multiply_adds() as f64);
            let each = importance.iter().enumerate();
            order.extend(each.map(|(channel, value)| {
                (value * value / square.max(f64::MIN_POSITIVE) / saved.max(1.0), at, channel)
            }));
        }
        order.sort_by(|a, b| b.0.total_cmp(&a.0));
        order
    }

    /// Length of the weights that take a channel's output.
    fn taken(&self, at: usize, channel: usize) -> f64 {
        let values = |of: Slot| &self.parameters[of.range()];
        let square = match self.network.stages().get(at + 1) {
            Some(next) => {
                let (cin, cout) = (next.channels_in, next.block.channels);
                let rows = values(next.slots.weights).chunks_exact(cout).enumerate();
                let own = rows.filter(|(row, _)| row % cin == channel);
                own.flat_map(|(_, row)| row).map(|weight| f64::from(*weight).powi(2)).sum::<f64>()
            }
            None => self.head_row(channel).iter().map(|weight| f64::from(*weight).powi(2)).sum(),
        };
        square.sqrt()
    }

    /// The weights of the first dense layer that take a feature.
    fn head_row(&self, channel: usize) -> &[f32] {
        let head = self.network.head();
        let (slot, width) = if self.network.hidden() > 0 {
            (head.hidden_weights, self.network.hidden())
        } else {
            (head.output_weights, 1)
        };
        &self.parameters[slot.range()][channel * width..][..width]
    }

    fn narrowed(&self, keep: &[Vec<usize>]) -> Option<Network> {
        let narrow = |(stage, keep): (&Stage, &Vec<usize>)| Block { channels: keep.len(), ..stage.block };
        let blocks: Vec<Block> = self.network.stages().iter().zip(keep).map(narrow).collect();
        Network::new(&blocks, self.network.hidden(), self.network.input()).ok()
    }

    /// The weights that are kept, in the narrower network.
    fn moved(&self, network: Network, keep: &[Vec<usize>], outputs: &[Moments]) -> Grown {
        let mut parameters = vec![0.0; network.parameters()];
        let mut statistics = Statistics::unit(&network);
        let mut kept_in = vec![0];
        for (at, (from, to)) in self.network.stages().iter().zip(network.stages()).enumerate() {
            let (cin, cout) = (from.channels_in, from.block.channels);
            let weights = &self.parameters[from.slots.weights.range()];
            let mut bias = self.parameters[from.slots.bias.range()].to_vec();
            if at > 0 {
                let lost = (0..cin).filter(|channel| !kept_in.contains(channel));
                for channel in lost {
                    let mean = outputs[at - 1].mean[channel] as f32;
                    for tap in 0..9 {
                        let row = &weights[(tap * cin + channel) * cout..][..cout];
                        bias.iter_mut().zip(row).for_each(|(bias, weight)| *bias += weight * mean);
                    }
                }
            }
            let rows = (0..9).flat_map(|tap| kept_in.iter().map(move |channel| tap * cin + channel));
            let narrow = rows.flat_map(|row| keep[at].iter().map(move |&out| weights[row * cout + out]));
            parameters[to.slots.weights.range()].iter_mut().zip(narrow).for_each(|(to, from)| *to = from);
            let chosen = |values: &[f32], into: &mut [f32]| {
                let kept = keep[at].iter().filter_map(|&channel| values.get(channel));
                into.iter_mut().zip(kept).for_each(|(to, from)| *to = *from);
            };
            chosen(&bias, &mut parameters[to.slots.bias.range()]);
            chosen(&self.parameters[from.slots.gamma.range()], &mut parameters[to.slots.gamma.range()]);
            chosen(&self.parameters[from.slots.beta.range()], &mut parameters[to.slots.beta.range()]);
            statistics.blocks[at] = lanes_of(&self.statistics.blocks[at], &keep[at], &statistics.blocks[at]);
            kept_in.clone_from(&keep[at]);
        }
        self.move_head(&network, &kept_in, outputs, &mut parameters);
        Grown { network, parameters, statistics }
    }

    fn move_head(&self, network: &Network, kept: &[usize], outputs: &[Moments], parameters: &mut [f32]) {
        let (from, to) = (self.network.head(), network.head());
        let hidden = network.hidden() > 0;
        for (from, to) in [
            (from.hidden_bias, to.hidden_bias),
            (from.output_weights, to.output_weights),
            (from.output_bias, to.output_bias),
        ] {
            if from.len == to.len {
                parameters[to.range()].copy_from_slice(&self.parameters[from.range()]);
            }
        }
        let (weights, bias) =
            if hidden { (to.hidden_weights, to.hidden_bias) } else { (to.output_weights, to.output_bias) };
        let rows = kept.iter().flat_map(|&channel| self.head_row(channel));
        parameters[weights.range()].iter_mut().zip(rows).for_each(|(to, from)| *to = *from);
        let means = outputs.last().map_or(&[][..], |moments| &moments.mean);
        let lost = (0..self.network.features()).filter(|channel| !kept.contains(channel));
        for channel in lost {
            let into = &mut parameters[bias.range()];
            let row = self.head_row(channel).iter().map(|weight| weight * means[channel] as f32);
            into.iter_mut().zip(row).for_each(|(bias, constant)| *bias += constant);
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64;

    use super::*;
    use crate::kernels::MapSize;
    use crate::network::initial;
    use crate::train::step::Trainer;

    fn grown(text: &str) -> Grown {
        let network = Network::parse(text, MapSize { height: 20, width: 20 }).unwrap();
        let mut random = Pcg64::seed_from_u64(3);
        let mut parameters: Vec<f32> = initial(&network, &mut random);
        parameters.iter_mut().for_each(|value| *value += random.random_range(-0.1..0.1));
        let statistics = Statistics::unit(&network);
        Grown { network, parameters, statistics }
    }

    fn scores(of: &Grown) -> (Vec<f32>, Vec<Moments>) {
        let mut trainer = Trainer::new(of.network.clone(), of.parameters.clone(), 4, 2);
        let load = |at: usize, input: &mut [f32]| {
            let mut random = Pcg64::seed_from_u64(at as u64);
            input.iter_mut().for_each(|value| *value = random.random_range(-1.0..1.0));
        };
        let outputs = trainer.outputs(&of.parameters, &of.statistics, 6, &load);
        (trainer.score(&of.parameters, &of.statistics, 6, &load), outputs)
    }

    #[test]
    fn a_channel_that_never_varies_goes_first_and_no_score_changes() {
        for text in ["5np-4-6sn-d3", "4s-5np-d0"] {
            let mut whole = grown(text);
            // Channel 2 of block 2 gives a constant, and the last channel of the last block too.
            let dull = |whole: &mut Grown, at: usize, channel: usize| {
                let stage = whole.network.stages()[at];
                let cout = stage.block.channels;
                let weights = &mut whole.parameters[stage.slots.weights.range()];
                weights.iter_mut().skip(channel).step_by(cout).for_each(|weight| *weight = 0.0);
                whole.parameters[stage.slots.bias.start + channel] = 0.7;
            };
            let last = whole.network.stages().len() - 1;
            let end = whole.network.features() - 1;
            dull(&mut whole, 1, 2);
            dull(&mut whole, last, end);
            let (before, outputs) = scores(&whole);
            let mut less = whole.without_least(&outputs, whole.network.multiply_adds() - 1).unwrap();
            let (_, outputs) = scores(&less);
            if last > 1 {
                less = less.without_least(&outputs, less.network.multiply_adds() - 1).unwrap();
            }
            let channels: Vec<usize> =
                less.network.stages().iter().map(|stage| stage.block.channels).collect();
            let mut wanted: Vec<usize> =
                whole.network.stages().iter().map(|stage| stage.block.channels).collect();
            wanted[1] -= 1;
            wanted[last] -= usize::from(last > 1);
            assert_eq!(channels, wanted, "{text}");
            let (after, _) = scores(&less);
            for (before, after) in before.iter().zip(&after) {
                assert!((before - after).abs() < 1e-5, "{text}: {before} became {after}");
            }
        }
    }

    #[test]
    fn the_work_falls_to_what_was_asked_for_or_as_far_as_it_can() {
        let whole = grown("9np-8-6sn-d3");
        let (_, outputs) = scores(&whole);
        let half = whole.network.multiply_adds() / 2;
        let less = whole.without_least(&outputs, half).unwrap();
        assert!(less.network.multiply_adds() <= half && less.network.multiply_adds() > half / 2);
        assert_eq!(less.parameters.len(), less.network.parameters());
        let least = whole.without_least(&outputs, 0).unwrap();
        assert!(least.network.stages().iter().all(|stage| stage.block.channels == 2));
        let (_, outputs) = scores(&least);
        assert_eq!(least.without_least(&outputs, 0), None);
    }
}
