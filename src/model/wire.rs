//! A first look at the bytes of an ONNX file, before any is decoded: is it protobuf, and how much would it unfold to?
//!
//! A field of two bytes can decode to a value of hundreds, so that a file within the size limit could still fill the
//! memory and end the process. Must not know what the fields mean beyond which of them hold messages.

use super::problem::GraphProblem;

/// Messages of the ONNX schema that hold further messages. `Leaf` holds none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Message {
    Model,
    Graph,
    Node,
    Attribute,
    Tensor,
    Sparse,
    ValueInfo,
    Type,
    TensorType,
    Shape,
    Training,
    Function,
    Annotation,
    Leaf,
}

impl Message {
    /// What the length-delimited field `number` of this message holds; `None` for text, bytes and packed numbers.
    fn child(self, number: u64) -> Option<Message> {
        use Message::*;
        let child = match (self, number) {
            (Model, 7) | (Attribute, 6 | 11) | (Training, 1 | 2) => Graph,
            (Model, 20) => Training,
            (Model, 25) => Function,
            (Graph, 1) | (Function, 7) => Node,
            (Graph, 5) | (Attribute, 5 | 10) | (Sparse, 1 | 2) => Tensor,
            (Graph, 15) | (Attribute, 22 | 23) => Sparse,
            (Graph, 11..=13) => ValueInfo,
            (Graph, 14) => Annotation,
            (Node, 5) => Attribute,
            (ValueInfo, 2) | (Attribute, 15) => Type,
            (Type, 1) => TensorType,
            (TensorType, 2) => Shape,
            (Model, 8 | 14) | (Tensor, 3 | 13) | (Shape, 1) | (Training, 3 | 4) => Leaf,
            (Function, 9) | (Annotation, 2) => Leaf,
            _ => return None,
        };
        Some(child)
    }

    /// Whether the field is a list of packed variable-length numbers, which grow when decoded.
    fn is_packed_varints(self, number: u64) -> bool {
        matches!((self, number), (Message::Tensor, 1 | 5 | 7 | 11) | (Message::Attribute, 8))
    }
}

/// Deepest nesting of messages; real models need 8.
const DEPTH: usize = 16;
/// Most nodes in a file. NASNetMobile, the most branched of the usual classifiers, has 665.
const NODES: usize = 2048;
/// Most attributes in a file.
const ATTRIBUTES: usize = 32 * NODES;
/// Most tensors in a file.
const TENSORS: usize = 8 * NODES;
/// Most fields of all kinds in a file.
const FIELDS: usize = 512 * 1024;
/// Most bytes of packed variable-length numbers: shapes and indices, never weights.
const PACKED_BYTES: usize = 4 << 20;

#[derive(Default)]
struct Tally {
    nodes: usize,
    attributes: usize,
    tensors: usize,
    fields: usize,
    packed_bytes: usize,
}

impl Tally {
    fn message(&mut self, kind: Message) -> Result<(), GraphProblem> {
        let (count, limit, what) = match kind {
            Message::Node => (&mut self.nodes, NODES, "nodes"),
            Message::Attribute => (&mut self.attributes, ATTRIBUTES, "attributes"),
            Message::Tensor => (&mut self.tensors, TENSORS, "tensors"),
            _ => return Ok(()),
        };
        raise(count, 1, limit, what)
    }
}

fn raise(count: &mut usize, by: usize, limit: usize, what: &str) -> Result<(), GraphProblem> {
    *count += by;
    if *count > limit {
        return Err(GraphProblem::new(format!(
            "more than {limit} {what}; castgate runs image classifiers, which have far fewer"
        )));
    }
    Ok(())
}

/// Walks through all fields of an ONNX file without decoding them.
///
/// # Errors
/// When the bytes are not protobuf, are cut short, or would unfold to more than an image classifier needs.
pub(super) fn survey(bytes: &[u8]) -> Result<(), GraphProblem> {
    if bytes.is_empty() {
        return Err(GraphProblem::new("the file is empty; copy it again"));
    }
    walk(Message::Model, bytes, 0, &mut Tally::default())
}

fn walk(kind: Message, mut rest: &[u8], depth: usize, tally: &mut Tally) -> Result<(), GraphProblem> {
    if depth > DEPTH {
        return Err(GraphProblem::new(format!(
            "messages nested more than {DEPTH} deep; no model needs that"
        )));
    }
    while !rest.is_empty() {
        raise(&mut tally.fields, 1, FIELDS, "fields")?;
        let key = varint(&mut rest)?;
        let number = key >> 3;
        match key & 7 {
            0 => drop(varint(&mut rest)?),
            1 => drop(take(&mut rest, 8)?),
            5 => drop(take(&mut rest, 4)?),
            2 => {
                let length = varint(&mut rest)?;
                let inner = take(&mut rest, usize::try_from(length).unwrap_or(usize::MAX))?;
                if let Some(child) = kind.child(number) {
                    tally.message(child)?;
                    walk(child, inner, depth + 1, tally)?;
                } else if kind.is_packed_varints(number) {
                    raise(&mut tally.packed_bytes, inner.len(), PACKED_BYTES, "bytes of packed integers")?;
                }
            }
            _ => return Err(not_onnx()),
        }
    }
    Ok(())
}

fn not_onnx() -> GraphProblem {
    GraphProblem::new("the file is not ONNX, or it is damaged or cut short; copy or export it again")
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], GraphProblem> {
    let (head, tail) = rest.split_at_checked(length).ok_or_else(not_onnx)?;
    *rest = tail;
    Ok(head)
}

fn varint(rest: &mut &[u8]) -> Result<u64, GraphProblem> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (&byte, tail) = rest.split_first().ok_or_else(not_onnx)?;
        *rest = tail;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(not_onnx())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(number: u8, inner: &[u8]) -> Vec<u8> {
        let mut bytes = vec![number << 3 | 2];
        let mut length = inner.len();
        while length >= 0x80 {
            bytes.push((length & 0x7f) as u8 | 0x80);
            length >>= 7;
        }
        bytes.push(length as u8);
        bytes.extend_from_slice(inner);
        bytes
    }

    #[test]
    fn a_small_file_that_would_unfold_to_gigabytes_is_refused() {
        let nodes: Vec<u8> = [0x0a, 0x00].repeat(NODES + 1);
        let problem = survey(&field(7, &nodes)).unwrap_err();
        assert!(problem.to_string().starts_with("more than 2048 nodes"), "{problem}");
        let shape = field(1, &vec![0x01; PACKED_BYTES + 1]);
        let problem = survey(&field(7, &field(5, &shape))).unwrap_err();
        assert!(problem.to_string().contains("packed integers"), "{problem}");
    }

    #[test]
    fn deep_nesting_is_refused() {
        let mut graph = Vec::new();
        for _ in 0..DEPTH {
            graph = field(1, &field(5, &field(6, &graph)));
        }
        assert!(survey(&field(7, &graph)).unwrap_err().to_string().contains("nested"));
    }

    #[test]
    fn text_and_cut_files_are_refused() {
        for bytes in [&b"model: demo\n"[..], &[0x3a], &[0x3a, 0x05, 0x00], &[0xff; 12], &[0x0b]] {
            assert!(survey(bytes).unwrap_err().to_string().contains("not ONNX"), "{bytes:?}");
        }
        assert!(survey(&[]).unwrap_err().to_string().contains("empty"));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400)) {
            let _ = survey(&bytes);
        }
    }
}
