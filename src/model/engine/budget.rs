//! What a graph would cost in memory and time, found before the engine spends any of it.
//!
//! A failed allocation ends the process and cannot be caught, so it must not be tried.

use tract_core::internal::{Cost, DatumType, Op};
use tract_core::ops::cnn::Conv;
use tract_core::prelude::{Node, TDim, TypedModel};
use tract_onnx::tract_hir::infer::Factoid;
use tract_onnx::tract_hir::internal::InferenceModel;

use super::limits::Limits;
use super::told::told;
use crate::model::problem::GraphProblem;

/// Checks that every shape is known and within limits, before anything is computed from it.
pub(super) fn check_shapes(model: &InferenceModel, limits: Limits) -> Result<(), GraphProblem> {
    for node in model.nodes() {
        for output in &node.outputs {
            let dims = output.fact.shape.concretize();
            let Some(dims) = dims else {
                return Err(GraphProblem::new(format!(
                    "the size of the result of node `{}` ({}) is not fixed; export the model for one picture of a fixed size",
                    node.name,
                    node.op.name()
                )));
            };
            if volume(&dims, node, limits)? == 0 && !output.fact.value.is_concrete() {
                let name = &node.name;
                return Err(GraphProblem::new(format!(
                    "node `{name}` has nothing left of the picture; use a larger input"
                )));
            }
        }
    }
    Ok(())
}

/// Checks the peak of living values and the multiply-adds; returns the latter.
pub(super) fn check(model: &TypedModel, limits: Limits) -> Result<u64, GraphProblem> {
    let order = model.eval_order().map_err(told)?;
    let mut last_use = vec![usize::MAX; model.nodes().len()];
    for (step, &id) in order.iter().enumerate() {
        last_use[id] = step;
        for input in &model.node(id).inputs {
            last_use[input.node] = step;
        }
    }
    for output in model.output_outlets().map_err(told)? {
        last_use[output.node] = usize::MAX;
    }
    let mut freed_at: Vec<u64> = vec![0; order.len()];
    let (mut live, mut multiply_adds) = (0u64, 0u64);
    for (step, &id) in order.iter().enumerate() {
        let node = model.node(id);
        let mut made = 0u64;
        for output in &node.outputs {
            made += volume(&output.fact.shape.to_tvec(), node, limits)?;
        }
        let work = work(model, id)?;
        multiply_adds = multiply_adds.saturating_add(work.multiply_adds);
        live += made;
        if live.saturating_add(work.scratch) > limits.live_values {
            let mib = live.saturating_add(work.scratch) >> 18;
            return Err(GraphProblem::new(format!(
                "node `{}` needs {mib} MiB of working memory, and castgate allows {} MiB; use a smaller input or model",
                node.name,
                limits.live_values >> 18
            )));
        }
        if let Some(freed) = freed_at.get_mut(last_use[id]) {
            *freed += made;
        }
        live -= freed_at[step];
    }
    if multiply_adds > limits.multiply_adds {
        return Err(GraphProblem::new(format!(
            "one picture needs {multiply_adds} multiply-adds, and castgate allows {}; use a smaller model",
            limits.multiply_adds
        )));
    }
    Ok(multiply_adds)
}

/// Number of values of a shape, within the limit.
fn volume<F, O>(dims: &[TDim], node: &Node<F, O>, limits: Limits) -> Result<u64, GraphProblem>
where
    F: tract_core::model::Fact,
    O: AsRef<dyn Op>,
{
    let size = dims.iter().try_fold(1u64, |size, dim| {
        let dim = u64::try_from(dim.to_i64().ok()?).ok().filter(|&dim| dim <= limits.values)?;
        size.checked_mul(dim)
    });
    size.filter(|&size| size <= limits.values).ok_or_else(|| {
        let shape = dims.iter().map(ToString::to_string).collect::<Vec<_>>().join("x");
        GraphProblem::new(format!(
            "node `{}` ({}) makes a result of the shape {shape}, and castgate allows {} values; use a smaller model",
            node.name,
            node.op.as_ref().name(),
            limits.values
        ))
    })
}

/// What one node costs.
struct Work {
    multiply_adds: u64,
    /// Values of working memory: a convolution lays out its input once per kernel position, unless each channel has a kernel of its own.
    scratch: u64,
}

fn work(model: &TypedModel, id: usize) -> Result<Work, GraphProblem> {
    let inputs = model.node_input_facts(id).map_err(told)?;
    let node = model.node(id);
    let mut multiply_adds = 0u64;
    for (cost, count) in node.op.cost(&inputs).map_err(told)? {
        if matches!(cost, Cost::FMA(DatumType::F32)) {
            multiply_adds = multiply_adds.saturating_add(count.to_i64().map_err(told)?.unsigned_abs());
        }
    }
    let scratch = node.op_as::<Conv>().map_or(0, |conv| {
        let (channels, group) = (conv.output_channels(), conv.group);
        let depthwise = group > 1 && group == channels && group == conv.input_channels();
        if depthwise { 0 } else { multiply_adds / (channels as u64).max(1) * group as u64 }
    });
    Ok(Work { multiply_adds, scratch })
}
