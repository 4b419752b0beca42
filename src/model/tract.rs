//! The inference engine: from a checked ONNX graph to numbers out of a picture's values.
//!
//! Only this file and its neighbours `budget.rs` and `graph/` know that the engine is tract. Must not know what the
//! numbers mean.

use tract_core::internal::tvec;
use tract_core::prelude::{IntoArcTensor, TValue, Tensor, TractError, TypedModel, TypedSimpleState};
use tract_core::runtime::RunOptions;
use tract_onnx::pb::ModelProto;
use tract_onnx::tract_hir::internal::{Framework, InferenceModel, InferenceModelExt};

use super::budget::{self, Limits};
use super::graph::Problem;

/// A graph made ready for one picture at a time, or for a batch of them.
#[derive(Debug)]
pub(super) struct Engine {
    state: TypedSimpleState,
    /// Shape of the input: the batch and the manifest's layout.
    shape: [usize; 4],
    /// The input tensor, used again for every picture.
    input: Option<Tensor>,
    /// Multiply-adds for one batch.
    pub(super) multiply_adds: u64,
}

impl Engine {
    /// Analyses, checks and optimises a graph. Slow: seconds for a large model.
    ///
    /// # Errors
    /// When the engine cannot run the graph, when the graph needs more than `limits` allow, or when its output does
    /// not have `outputs` values for each of the `batch` pictures.
    pub(super) fn new(
        graph: ModelProto,
        outputs: usize,
        batch: usize,
        limits: Limits,
    ) -> Result<Self, Problem> {
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

    /// Computes the numbers for one batch, given in the manifest's layout; `read` sees them, and those from before the
    /// last sigmoid or softmax (empty if the graph does not end so).
    ///
    /// # Errors
    /// What the engine said. The engine is ready for the next picture.
    pub(super) fn run<T>(
        &mut self,
        pictures: &[f32],
        read: impl FnOnce(&[f32], &[f32]) -> T,
    ) -> Result<T, Problem> {
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
        Ok(read(numbers(0).map_err(told)?, numbers(1).map_err(told)?))
    }

    /// Makes the engine ready again after a panic left it half-way through a picture.
    ///
    /// # Errors
    /// What the engine said.
    pub(super) fn reset(&mut self) -> Result<(), Problem> {
        self.input = None;
        self.state = TypedSimpleState::new(&self.state.plan().clone()).map_err(told)?;
        Ok(())
    }
}

/// The shape of the input; the output is checked on the way.
fn check_ends(model: &TypedModel, outputs: usize, batch: usize) -> Result<[usize; 4], Problem> {
    let fact = model.output_fact(0).map_err(told)?;
    let shape = fact.shape.as_concrete().unwrap_or_default();
    let found = shape.iter().product::<usize>();
    if found != outputs * batch || !shape.first().is_none_or(|&first| first == batch || shape.len() == 1) {
        let shape = shape.iter().map(ToString::to_string).collect::<Vec<_>>().join("x");
        return Err(Problem::new(format!(
            "the output has the shape {shape}, {found} values, and the manifest's `output` asks for {}; \
             correct the manifest or take the model that belongs to it",
            outputs * batch
        )));
    }
    if fact.datum_type != tract_core::prelude::DatumType::F32 {
        return Err(Problem::new("the output is not float32; export the model with float32 output"));
    }
    let fact = model.input_fact(0).map_err(told)?;
    let shape = fact.shape.as_concrete().and_then(|shape| <[usize; 4]>::try_from(shape).ok());
    shape.ok_or_else(|| Problem::new("the input has no fixed shape; export the model again"))
}

/// What the engine said: where it was, and the cause, as one line of bounded length.
pub(super) fn told(error: impl Into<TractError>) -> Problem {
    const LONGEST: usize = 300;
    let error = error.into();
    let (place, cause) = (error.to_string(), error.root_cause().to_string());
    let text = if place == cause { cause } else { format!("{place}: {cause}") };
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = line.trim_end_matches('.');
    let cut: String = line.chars().take(LONGEST).collect();
    Problem::Engine(if cut.len() < line.len() { format!("{cut} ...") } else { line.to_owned() })
}
