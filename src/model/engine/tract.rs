//! tract as an engine: it runs every graph that passes the checks.

use tract_core::internal::tvec;
use tract_core::prelude::{IntoArcTensor, TValue, Tensor, TypedModel, TypedSimpleState};
use tract_core::runtime::RunOptions;
use tract_onnx::tract_hir::internal::{Framework, InferenceModel, InferenceModelExt};

use super::told::told;
use super::{Engine, Limits, budget};
use crate::model::problem::GraphProblem;

/// The messages of the ONNX format.
pub(in crate::model) use tract_onnx::pb;

/// A graph made ready for one picture at a time, or for a batch of them.
#[derive(Debug)]
pub(super) struct Tract {
    state: TypedSimpleState,
    /// Shape of the input: the batch and the manifest's layout.
    shape: [usize; 4],
    /// The input tensor, used again for every picture.
    input: Option<Tensor>,
    /// Multiply-adds for one batch.
    multiply_adds: u64,
}

impl Tract {
    /// Analyses, checks and optimises a graph. Slow: seconds for a large model.
    ///
    /// # Errors
    /// When the engine cannot run the graph, when the graph needs more than `limits` allow, or when its output does
    /// not have `outputs` values for each of the `batch` pictures.
    pub(super) fn new(
        graph: pb::ModelProto,
        outputs: usize,
        batch: usize,
        limits: Limits,
    ) -> Result<Self, GraphProblem> {
        let engine = tract_onnx::onnx().with_ignore_value_info(true);
        let mut model: InferenceModel = engine.model_for_proto_model(&graph).map_err(told)?;
        drop(graph);
        model.analyse(false).map_err(told)?;
        budget::check_shapes(&model, limits)?;
        let model: TypedModel = model.into_typed().map_err(told)?;
        let multiply_adds = budget::check(&model, limits)?;
        let shape = check_ends(&model, outputs, batch)?;
        let model = model.into_decluttered().map_err(told)?;
        budget::check(&model, limits)?;
        let mut model = model;
        model.optimize().map_err(told)?;
        let plan =
            tract_core::prelude::TypedSimplePlan::build(model, &RunOptions::default()).map_err(told)?;
        let state = TypedSimpleState::new(&std::sync::Arc::new(plan)).map_err(told)?;
        let input = Tensor::zero::<f32>(&shape).map_err(told)?;
        Ok(Self { state, shape, input: Some(input), multiply_adds })
    }
}

impl Engine for Tract {
    fn multiply_adds(&self) -> u64 {
        self.multiply_adds
    }

    fn run(&mut self, pictures: &[f32], read: &mut dyn FnMut(&[f32], &[f32])) -> Result<(), GraphProblem> {
        let mut tensor = match self.input.take() {
            Some(tensor) => tensor,
            None => Tensor::zero::<f32>(&self.shape).map_err(told)?,
        };
        let mut values = tensor.try_as_plain_ram_mut().map_err(told)?;
        values.as_slice_mut::<f32>().map_err(told)?.copy_from_slice(pictures);
        let input = tensor.into_arc_tensor();
        let answer = self.state.run(tvec![TValue::from_const(input.clone())]).map_err(told)?;
        self.input = std::sync::Arc::into_inner(input);
        let numbers =
            |at: usize| answer.get(at).map_or(Ok(&[][..]), |t| t.try_as_plain_ram()?.as_slice::<f32>());
        read(numbers(0).map_err(told)?, numbers(1).map_err(told)?);
        Ok(())
    }

    fn reset(&mut self) -> Result<(), GraphProblem> {
        self.input = None;
        self.state = TypedSimpleState::new(&self.state.plan().clone()).map_err(told)?;
        Ok(())
    }
}

/// Whether the engine has an operator of this name.
#[cfg(test)]
pub(in crate::model) fn knows(operator: &str) -> bool {
    tract_onnx::onnx().op_register.0.contains_key(operator)
}

/// The shape of the input; the output is checked on the way.
fn check_ends(model: &TypedModel, outputs: usize, batch: usize) -> Result<[usize; 4], GraphProblem> {
    let fact = model.output_fact(0).map_err(told)?;
    let shape = fact.shape.as_concrete().unwrap_or_default();
    let found = shape.iter().product::<usize>();
    if found != outputs * batch || !shape.first().is_none_or(|&first| first == batch || shape.len() == 1) {
        let shape = shape.iter().map(ToString::to_string).collect::<Vec<_>>().join("x");
        return Err(GraphProblem::new(format!(
            "the output has the shape {shape}, {found} values, and the manifest's `output` asks for {}; \
             correct the manifest or take the model that belongs to it",
            outputs * batch
        )));
    }
    if fact.datum_type != tract_core::prelude::DatumType::F32 {
        return Err(GraphProblem::new("the output is not float32; export the model with float32 output"));
    }
    let fact = model.input_fact(0).map_err(told)?;
    let shape = fact.shape.as_concrete().and_then(|shape| <[usize; 4]>::try_from(shape).ok());
    shape.ok_or_else(|| GraphProblem::new("the input has no fixed shape; export the model again"))
}
