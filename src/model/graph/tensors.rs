//! The constant tensors of a graph: type, size and data agree, and nothing lies outside the file.

use crate::model::engine::pb::TensorProto;
use crate::model::engine::pb::tensor_proto::{DataLocation, DataType};

use super::quote;
use crate::model::problem::GraphProblem;

/// Most elements of one tensor: 256 MiB as float32.
pub(super) const ELEMENTS: u64 = 64 << 20;
/// Most dimensions of a tensor.
pub(super) const RANK: usize = 8;

/// Checks one constant tensor and returns its number of elements.
pub(super) fn check(tensor: &TensorProto) -> Result<u64, GraphProblem> {
    let name = quote(&tensor.name);
    let fail = |what: String| Err(GraphProblem::new(format!("tensor {name} {what}")));
    if tensor.data_location == Some(DataLocation::External as i32) || !tensor.external_data.is_empty() {
        return fail("lies in another file; export the model as one file: `external_data=False` in torch.onnx.export, or onnx.save in Python"
                .to_owned());
    }
    if tensor.segment.is_some() {
        return fail("is stored in segments; export the model again".to_owned());
    }
    if tensor.dims.len() > RANK {
        return fail(format!("has {} dimensions, more than {RANK}", tensor.dims.len()));
    }
    let dims = &tensor.dims;
    let size = dims.iter().try_fold(1u64, |size, &dim| size.checked_mul(u64::try_from(dim).ok()?));
    let Some(elements) = size.filter(|&elements| elements <= ELEMENTS) else {
        return fail(format!("has the dimensions {dims:?}: castgate takes 0 to {ELEMENTS} values a tensor"));
    };
    if let Some(dim) = dims.iter().find(|&&dim| dim > ELEMENTS as i64) {
        return fail(format!("has a dimension of {dim}"));
    }
    let held = held_elements(tensor)?;
    if held != elements {
        return fail(format!(
            "has the dimensions {dims:?}, {elements} values, and holds {held}; the file is damaged"
        ));
    }
    if has_nan(tensor) {
        return fail("holds NaN; train or export the model again".to_owned());
    }
    Ok(elements)
}

/// Number of elements that the data fields really hold.
fn held_elements(tensor: &TensorProto) -> Result<u64, GraphProblem> {
    let data_type = DataType::try_from(tensor.data_type).unwrap_or_default();
    let (bytes, typed) = match data_type {
        DataType::Float => (4, tensor.float_data.len()),
        DataType::Double => (8, tensor.double_data.len()),
        DataType::Float16 => (2, tensor.int32_data.len()),
        DataType::Int64 => (8, tensor.int64_data.len()),
        DataType::Int32 => (4, tensor.int32_data.len()),
        DataType::Int8 | DataType::Uint8 | DataType::Bool => (1, tensor.int32_data.len()),
        other => {
            let what = quote(other.as_str_name());
            let name = quote(&tensor.name);
            return Err(GraphProblem::new(format!(
                "tensor {name} is of type {what}; export the model as float32"
            )));
        }
    };
    let raw = tensor.raw_data.len();
    if raw > 0 && !raw.is_multiple_of(bytes) {
        let name = quote(&tensor.name);
        return Err(GraphProblem::new(format!(
            "tensor {name} holds {raw} bytes, no whole number of values; the file is damaged"
        )));
    }
    Ok(if raw > 0 { (raw / bytes) as u64 } else { typed as u64 })
}

fn has_nan(tensor: &TensorProto) -> bool {
    let raw = &tensor.raw_data;
    match DataType::try_from(tensor.data_type) {
        Ok(DataType::Float) => {
            let (chunks, _) = raw.as_chunks::<4>();
            tensor.float_data.iter().any(|v| v.is_nan())
                || chunks.iter().any(|c| f32::from_le_bytes(*c).is_nan())
        }
        Ok(DataType::Double) => {
            let (chunks, _) = raw.as_chunks::<8>();
            tensor.double_data.iter().any(|v| v.is_nan())
                || chunks.iter().any(|c| f64::from_le_bytes(*c).is_nan())
        }
        _ => false,
    }
}

/// Integers of a constant, for operators whose output size they decide; `None` when it holds none.
pub(super) fn integers(tensor: &TensorProto) -> Option<Vec<i64>> {
    let (eights, _) = tensor.raw_data.as_chunks::<8>();
    let (fours, _) = tensor.raw_data.as_chunks::<4>();
    match DataType::try_from(tensor.data_type).ok()? {
        DataType::Int64 if eights.is_empty() => Some(tensor.int64_data.clone()),
        DataType::Int64 => Some(eights.iter().map(|c| i64::from_le_bytes(*c)).collect()),
        DataType::Int32 if fours.is_empty() => Some(tensor.int32_data.iter().map(|&v| v.into()).collect()),
        DataType::Int32 => Some(fours.iter().map(|c| i32::from_le_bytes(*c).into()).collect()),
        _ => None,
    }
}

/// Floats of a constant, see [`integers`].
pub(super) fn floats(tensor: &TensorProto) -> Option<Vec<f32>> {
    let (fours, _) = tensor.raw_data.as_chunks::<4>();
    match DataType::try_from(tensor.data_type).ok()? {
        DataType::Float if fours.is_empty() => Some(tensor.float_data.clone()),
        DataType::Float => Some(fours.iter().map(|c| f32::from_le_bytes(*c)).collect()),
        _ => None,
    }
}
