//! Reading back what [`super::write`] wrote: the network, its parameters and statistics, for what the engine cannot do.
//!
//! Owns the recognition of that one form of graph. A graph of another form is refused in words.

use std::path::Path;

use crate::model::engine::pb::tensor_proto::DataType;
use crate::model::engine::pb::{GraphProto, NodeProto};

use super::load::Source;
use super::{ModelError, graph};
use crate::config::manifest::{Colour, Manifest, OutputKind};
use crate::kernels::MapSize;
use crate::network::{Block, Slot};
use crate::network::{EPSILON, Network, Statistics};

/// A network as training knows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Trained {
    /// Its blocks and sizes.
    pub network: Network,
    /// Its parameters in the order of the network's slots.
    pub parameters: Vec<f32>,
    /// Statistics of normalisation.
    pub statistics: Statistics,
    /// Whether its output is the probability of OK.
    pub inverted: bool,
    /// Its manifest.
    pub manifest: Manifest,
}

/// Reads the network at `path`, or a built-in one by its bare name, from its ONNX file and manifest.
///
/// # Errors
/// When the files cannot be read or do not belong together, and when the graph is not of the form that castgate writes.
pub fn trained(path: &Path) -> Result<Trained, ModelError> {
    let source = Source::read(path)?;
    let (manifest, _) = source.manifest()?;
    let file = source.file.clone();
    let refuse = |problem: String| ModelError::Graph { file: file.clone(), problem };
    let model = graph::read(&source.onnx, &manifest, 1).map_err(|problem| refuse(problem.to_string()))?;
    if manifest.input.colour != Colour::Grey || manifest.output.kind != OutputKind::Sigmoid {
        return Err(refuse(other("it takes colour or answers with softmax")));
    }
    let input = MapSize { height: manifest.input.height, width: manifest.input.width };
    let inverted = manifest.output.classes.first() == Some(&manifest.output.defect);
    let graph = model.graph.as_ref().ok_or_else(|| refuse(other("it is empty")))?;
    let (network, parameters, statistics) = recognise(graph, input).map_err(|what| refuse(other(&what)))?;
    Ok(Trained { network, parameters, statistics, inverted, manifest })
}

fn other(what: &str) -> String {
    format!(
        "the graph is not one that `castgate train` writes ({what}), and only those can be looked into or pruned: train one with castgate, or leave the heat map out"
    )
}

/// Nodes one after another, each of which takes what the one before gave.
struct Chain<'a> {
    graph: &'a GraphProto,
    at: usize,
    last: &'a str,
}

impl<'a> Chain<'a> {
    /// The next node, if it has this operator.
    fn take(
        &mut self,
        operator: &str,
        attributes: &[(&str, &[i64])],
    ) -> Result<Option<&'a NodeProto>, String> {
        let Some(node) = self.graph.node.get(self.at).filter(|node| node.op_type == operator) else {
            return Ok(None);
        };
        let same = node.attribute.iter().all(|found| {
            let known = attributes.iter().any(|(name, ints)| found.name == *name && found.ints == *ints);
            known || (found.name == "epsilon" && found.f == EPSILON as f32)
        });
        let complete =
            node.attribute.len() == attributes.len() + usize::from(operator == "BatchNormalization");
        let chained = node.input.first().is_some_and(|input| input == self.last);
        let [output] = &node.output[..] else { return Err(format!("{operator} has several outputs")) };
        if !same || !complete || !chained {
            return Err(format!("a {operator} of another kind"));
        }
        (self.at, self.last) = (self.at + 1, output);
        Ok(Some(node))
    }

    /// Whether the next node has this attribute.
    fn next_has(&self, attribute: &str) -> bool {
        let next = self.graph.node.get(self.at);
        next.is_some_and(|node| node.attribute.iter().any(|found| found.name == attribute))
    }

    fn need(&mut self, operator: &str) -> Result<&'a NodeProto, String> {
        self.take(operator, &[])?.ok_or_else(|| format!("{operator} is missing"))
    }

    /// Input `index` of a node as numbers, with its dimensions.
    fn tensor(&self, node: &NodeProto, index: usize) -> Result<(Vec<f32>, Vec<usize>), String> {
        let name = node.input.get(index).ok_or("an input is missing")?;
        let tensor = self.graph.initializer.iter().find(|tensor| tensor.name == *name);
        let tensor = tensor.filter(|tensor| tensor.data_type == DataType::Float as i32);
        let tensor = tensor.ok_or("a weight is no float32 constant")?;
        let dims: Vec<usize> = tensor.dims.iter().map(|&dim| usize::try_from(dim).unwrap_or(0)).collect();
        let raw = tensor.raw_data.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes));
        let values: Vec<f32> =
            if tensor.raw_data.is_empty() { tensor.float_data.clone() } else { raw.collect() };
        if dims.is_empty() || dims.contains(&0) || values.len() != dims.iter().product::<usize>() {
            return Err("a weight has an odd shape".to_owned());
        }
        Ok((values, dims))
    }

    /// Input `index` of a node, `len` numbers in a row.
    fn vector(&self, node: &NodeProto, index: usize, len: usize) -> Result<Vec<f32>, String> {
        let (values, dims) = self.tensor(node, index)?;
        if dims == [len] { Ok(values) } else { Err("a weight has an odd shape".to_owned()) }
    }
}

/// Mean and variance of a block's channels.
type Measured = Option<(Vec<f32>, Vec<f32>)>;

fn recognise(graph: &GraphProto, input: MapSize) -> Result<(Network, Vec<f32>, Statistics), String> {
    let first = graph.input.first().map_or("", |input| input.name.as_str());
    let mut chain = Chain { graph, at: 0, last: first };
    let (mut blocks, mut lists, mut measured): (Vec<Block>, Vec<Vec<f32>>, Vec<Measured>) =
        Default::default();
    let mut channels = 1;
    const CONVOLUTION: [(&str, &[i64]); 2] = [("kernel_shape", &[3, 3]), ("strides", &[2, 2])];
    loop {
        let strided = chain.next_has("strides");
        let Some(conv) = chain.take("Conv", &CONVOLUTION[..1 + usize::from(strided)])? else { break };
        let (weights, dims) = chain.tensor(conv, 1)?;
        let [cout, cin, 3, 3] = dims[..] else { return Err("a convolution is not 3x3".to_owned()) };
        if cin != channels {
            return Err("a convolution has an odd number of channels".to_owned());
        }
        // From output, input channel, row, column to row, column, input, output channel.
        let compact = (0..weights.len()).map(|i| {
            let (tap, ci, co) = (i / (cin * cout), i / cout % cin, i % cout);
            weights[(co * cin + ci) * 9 + tap]
        });
        lists.push(compact.collect());
        lists.push(chain.vector(conv, 2, cout)?);
        chain.need("Relu")?;
        let norm = chain.take("BatchNormalization", &[])?;
        if let Some(norm) = norm {
            lists.push(chain.vector(norm, 1, cout)?);
            lists.push(chain.vector(norm, 2, cout)?);
        }
        measured.push(match norm {
            Some(norm) => Some((chain.vector(norm, 3, cout)?, chain.vector(norm, 4, cout)?)),
            None => None,
        });
        let pool = chain.take("MaxPool", &[("kernel_shape", &[2, 2]), ("strides", &[2, 2])])?;
        blocks.push(Block { channels: cout, strided, norm: norm.is_some(), pool: pool.is_some() });
        channels = cout;
    }
    chain.need("GlobalAveragePool")?;
    chain.need("Flatten")?;
    let mut inputs = channels;
    let mut hidden = 0;
    loop {
        let dense = chain.need("Gemm")?;
        let (weights, dims) = chain.tensor(dense, 1)?;
        let [from, to] = dims[..] else { return Err("a dense layer has an odd shape".to_owned()) };
        if from != inputs {
            return Err("a dense layer has an odd shape".to_owned());
        }
        lists.push(weights);
        lists.push(chain.vector(dense, 2, to)?);
        inputs = to;
        if hidden > 0 || chain.take("Relu", &[])?.is_none() {
            break;
        }
        hidden = to;
    }
    chain.need("Sigmoid")?;
    if inputs != 1 || chain.at != graph.node.len() {
        return Err("it goes on after its sigmoid, or has several outputs".to_owned());
    }
    let network = Network::new(&blocks, hidden, input).map_err(|error| error.to_string())?;
    let parameters = arrange(&network, lists);
    let mut statistics = Statistics::unit(&network);
    for (into, measured) in statistics.blocks.iter_mut().zip(measured) {
        let Some((mean, variance)) = measured else { continue };
        into.mean.iter_mut().zip(mean).for_each(|(to, value)| *to = f64::from(value));
        into.variance.iter_mut().zip(variance).for_each(|(to, value)| *to = f64::from(value));
    }
    Ok((network, parameters, statistics))
}

/// Puts the lists, in the order of the graph, where the network's slots say.
fn arrange(network: &Network, lists: Vec<Vec<f32>>) -> Vec<f32> {
    let head = network.head();
    let of_block = |slots: &crate::network::BlockSlots| [slots.weights, slots.bias, slots.gamma, slots.beta];
    let blocks = network.stages().iter().flat_map(|stage| of_block(&stage.slots));
    let head = [head.hidden_weights, head.hidden_bias, head.output_weights, head.output_bias];
    // A block without normalisation has no gamma and beta in the graph, and empty slots for them.
    let slots = blocks.chain(head).filter(|slot: &Slot| slot.len > 0);
    let mut parameters = vec![0.0; network.parameters()];
    for (slot, list) in slots.zip(lists) {
        parameters[slot.range()].copy_from_slice(&list);
    }
    parameters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_models_are_read_back_and_written_again_byte_by_byte() {
        for name in super::super::BUILT_IN {
            let trained = trained(Path::new(name)).unwrap();
            let written =
                super::super::write::onnx(&trained.network, &trained.parameters, &trained.statistics);
            assert!(written == Source::read(Path::new(name)).unwrap().onnx, "{name}");
            assert!(!trained.inverted);
        }
    }

    #[test]
    fn strides_and_a_head_without_a_hidden_layer_are_read_back() {
        let input = MapSize { height: 40, width: 32 };
        for text in ["5sn-3-9snp-d0", "4s-6np-d7", "3p-d0"] {
            let network = Network::parse(text, input).unwrap();
            let parameters: Vec<f32> = (0..network.parameters()).map(|i| i as f32).collect();
            let bytes = super::super::write::onnx(&network, &parameters, &Statistics::unit(&network));
            let model: crate::model::engine::pb::ModelProto = prost::Message::decode(&*bytes).unwrap();
            let (read, again, _) = recognise(&model.graph.unwrap(), input).unwrap();
            assert_eq!((read, again), (network, parameters), "{text}");
        }
    }
}
