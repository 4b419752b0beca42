//! The summary of a run as people read it.

use std::fmt;

use super::latency::Percentiles;
use super::summary::Summary;

fn count(value: Option<u64>) -> String {
    value.map_or_else(|| "unknown".to_owned(), |n| n.to_string())
}

fn latency(f: &mut fmt::Formatter<'_>, name: &str, of: Percentiles) -> fmt::Result {
    match (of.p50, of.p99, of.p999, of.max) {
        (Some(p50), Some(p99), Some(p999), Some(max)) => {
            writeln!(f, "  {name:<15}{p50:>9.2} {p99:>9.2} {p999:>9.2} {max:>9.2}")
        }
        _ => writeln!(f, "  {name:<15}{:>9} {:>9} {:>9} {:>9}", "-", "-", "-", "-"),
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\nparts          {} in {:.1} s: {} ok, {} rejected",
            self.parts, self.seconds, self.ok, self.rejected
        )?;
        for (reason, number) in &self.rejected_by_reason {
            writeln!(f, "  {reason:<12} {number}")?;
        }
        writeln!(f, "escapes        {}", count(self.escapes))?;
        writeln!(f, "false rejects  {}", count(self.false_rejects))?;
        if self.unresolved > 0 {
            writeln!(f, "still on the belt at the end: {}", self.unresolved)?;
        }
        let frames = &self.frames;
        write!(
            f,
            "frames         {} captured, {} inspected, {} dropped",
            frames.captured, frames.inspected, frames.dropped
        )?;
        if frames.unusable > 0 {
            write!(f, "; {} unusable pictures", frames.unusable)?;
        }
        writeln!(f, "\nlatency, ms          p50       p99      p999       max")?;
        latency(f, "preprocess", self.latency_ms.preprocess)?;
        latency(f, "infer", self.latency_ms.infer)?;
        latency(f, "decide", self.latency_ms.decide)?;
        latency(f, "frame to gate", self.latency_ms.frame_to_gate)?;
        if self.lost_events > 0 {
            writeln!(f, "lost events    {}; the figures above lack them", self.lost_events)?;
        }
        writeln!(f, "memory         {:.1} MiB resident", self.resident_mib)
    }
}
