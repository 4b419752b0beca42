//! A training run as bytes, so that it can go on after it was stopped.
//!
//! Owns the format: a line of text, the run's print, the numbers in little-endian order, and a checksum (FNV-1a, 64 bits). Must not know
//! files.

use super::adam::Adam;
use super::fit::{Candidate, Progress};
use super::pictures::fnv1a;
use super::quality::Quality;
use crate::network::{Moments, Network, Statistics};

const HEADER: &[u8] = b"castgate checkpoint 2\n";

/// Why bytes are no checkpoint of this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// No checkpoint, or of another version.
    #[error("is no checkpoint of this version of castgate")]
    Header,
    /// Damaged or cut off.
    #[error("is damaged or cut off")]
    Damaged,
    /// Of another run.
    #[error("belongs to a run with other pictures, another network or other settings")]
    OtherRun,
}

/// The bytes of a checkpoint; `print` tells runs apart.
pub fn encode(progress: &Progress, print: u64) -> Vec<u8> {
    let mut bytes = HEADER.to_vec();
    let mut number = |value: &[u8]| bytes.extend_from_slice(value);
    number(&print.to_le_bytes());
    number(&progress.epoch.to_le_bytes());
    number(&progress.adam.steps.to_le_bytes());
    for list in [&progress.parameters, &progress.averaged, &progress.adam.mean, &progress.adam.square] {
        list.iter().for_each(|value| number(&value.to_le_bytes()));
    }
    number(&[u8::from(progress.best.is_some())]);
    if let Some(best) = &progress.best {
        number(&best.epoch.to_le_bytes());
        best.parameters.iter().for_each(|value| number(&value.to_le_bytes()));
        for moments in &best.statistics.blocks {
            moments.mean.iter().chain(&moments.variance).for_each(|value| number(&value.to_le_bytes()));
        }
        let Quality { loss, accuracy, auc, escapes, false_rejects } = best.quality;
        [loss, accuracy, auc].iter().for_each(|value| number(&value.to_le_bytes()));
        [escapes, false_rejects].iter().for_each(|&count| number(&(count as u64).to_le_bytes()));
    }
    let sum = fnv1a(bytes.iter().copied());
    bytes.extend_from_slice(&sum.to_le_bytes());
    bytes
}

/// Reads what [`encode`] wrote for the same network and print.
///
/// # Errors
/// See [`CheckpointError`].
pub fn decode(bytes: &[u8], network: &Network, print: u64) -> Result<Progress, CheckpointError> {
    let rest = bytes.strip_prefix(HEADER).ok_or(CheckpointError::Header)?;
    let (_, sum) = bytes.split_last_chunk::<8>().ok_or(CheckpointError::Damaged)?;
    let body = rest.len().checked_sub(8).map(|len| &rest[..len]).ok_or(CheckpointError::Damaged)?;
    if fnv1a(HEADER.iter().chain(body).copied()) != u64::from_le_bytes(*sum) {
        return Err(CheckpointError::Damaged);
    }
    let mut reader = Reader(body);
    if u64::from_le_bytes(reader.take()?) != print {
        return Err(CheckpointError::OtherRun);
    }
    let count = network.parameters();
    let epoch = u32::from_le_bytes(reader.take()?);
    let steps = u64::from_le_bytes(reader.take()?);
    let parameters = reader.singles(count)?;
    let averaged = reader.singles(count)?;
    let adam = Adam { steps, mean: reader.singles(count)?, square: reader.singles(count)? };
    let best = if reader.take::<1>()? == [1] { Some(candidate(&mut reader, network)?) } else { None };
    if reader.0.is_empty() {
        Ok(Progress { epoch, parameters, averaged, adam, best })
    } else {
        Err(CheckpointError::Damaged)
    }
}

fn candidate(reader: &mut Reader<'_>, network: &Network) -> Result<Candidate, CheckpointError> {
    let epoch = u32::from_le_bytes(reader.take()?);
    let parameters = reader.singles(network.parameters())?;
    let mut statistics = Statistics::unit(network);
    for Moments { mean, variance } in &mut statistics.blocks {
        for value in mean.iter_mut().chain(variance) {
            *value = f64::from_le_bytes(reader.take()?);
        }
    }
    let mut double = || reader.take().map(f64::from_le_bytes);
    let (loss, accuracy, auc) = (double()?, double()?, double()?);
    let mut count = || reader.take().map(|bytes| u64::from_le_bytes(bytes) as usize);
    let quality = Quality { loss, accuracy, auc, escapes: count()?, false_rejects: count()? };
    Ok(Candidate { epoch, parameters, statistics, quality })
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], CheckpointError> {
        let (first, rest) = self.0.split_first_chunk::<N>().ok_or(CheckpointError::Damaged)?;
        self.0 = rest;
        Ok(*first)
    }

    fn singles(&mut self, count: usize) -> Result<Vec<f32>, CheckpointError> {
        (0..count).map(|_| self.take().map(f32::from_le_bytes)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::MapSize;

    fn run() -> (Network, Progress) {
        let network = Network::parse("3np-2-d4", MapSize { height: 12, width: 12 }).unwrap();
        let parameters: Vec<f32> = (0..network.parameters()).map(|i| i as f32 * 0.1).collect();
        let adam = Adam { steps: 7, mean: parameters.clone(), square: parameters.clone() };
        let quality = Quality { loss: 0.5, accuracy: 0.75, auc: 0.875, escapes: 3, false_rejects: 4 };
        let statistics = Statistics::unit(&network);
        let best = Candidate { epoch: 2, parameters: parameters.clone(), statistics, quality };
        let averaged = parameters.iter().map(|weight| weight + 1.0).collect();
        (network, Progress { epoch: 3, parameters, averaged, adam, best: Some(best) })
    }

    #[test]
    fn a_run_is_read_as_it_was_written() {
        let (network, progress) = run();
        assert_eq!(decode(&encode(&progress, 9), &network, 9).unwrap(), progress);
        let fresh = Progress { best: None, ..progress };
        assert_eq!(decode(&encode(&fresh, 9), &network, 9).unwrap(), fresh);
    }

    #[test]
    fn other_bytes_are_refused_with_the_reason() {
        let (network, progress) = run();
        let bytes = encode(&progress, 9);
        assert_eq!(decode(&bytes, &network, 10), Err(CheckpointError::OtherRun));
        assert_eq!(decode(b"", &network, 9), Err(CheckpointError::Header));
        assert_eq!(decode(b"castgate checkpoint 1\n", &network, 9), Err(CheckpointError::Header));
        for len in HEADER.len()..bytes.len() {
            assert_eq!(decode(&bytes[..len], &network, 9), Err(CheckpointError::Damaged), "{len} bytes");
        }
        for at in HEADER.len()..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert_eq!(decode(&damaged, &network, 9), Err(CheckpointError::Damaged), "byte {at}");
        }
    }
}
