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
        if frames.missed > 0 {
            write!(f, "; {} missed", frames.missed)?;
        }
        if let (Some(rate), Some(promised)) = (frames.rate, frames.promised_rate) {
            write!(f, "; {rate:.1} of {promised:.1} a second")?;
        }
        writeln!(f, "\nlatency, ms          p50       p99      p999       max")?;
        latency(f, "preprocess", self.latency_ms.preprocess)?;
        latency(f, "infer", self.latency_ms.infer)?;
        latency(f, "decide", self.latency_ms.decide)?;
        latency(f, "frame to gate", self.latency_ms.frame_to_gate)?;
        latency(f, "gate late by", self.latency_ms.gate)?;
        for (name, number) in [
            ("missed triggers", self.troubles.missed_triggers),
            ("surplus triggers", self.troubles.surplus_triggers),
            ("late answers", self.troubles.late_answers),
            ("position lost", self.troubles.position_losses),
        ] {
            if number > 0 {
                writeln!(f, "{name:<18}{number}")?;
            }
        }
        if self.lost_events > 0 {
            writeln!(f, "lost events    {}; the figures above lack them", self.lost_events)?;
        }
        writeln!(f, "memory         {:.1} MiB resident", self.resident_mib)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::summary::FrameFigures;

    fn sample() -> Summary {
        let some = Percentiles { p50: Some(0.5), p99: Some(1.25), p999: Some(2.0), max: Some(2.5) };
        let mut summary = Summary {
            parts: 3,
            ok: 2,
            rejected: 1,
            rejected_by_reason: [("defect", 1)].into(),
            escapes: Some(0),
            by_outcome: [("passed", 2), ("rejected_confirmed", 1)].into(),
            unresolved: 1,
            frames: FrameFigures {
                captured: 9,
                inspected: 8,
                dropped: 1,
                unusable: 2,
                missed: 3,
                rate: Some(18.5),
                promised_rate: Some(20.0),
            },
            troubles: crate::decide::Troubles {
                missed_triggers: 2,
                surplus_triggers: 1,
                ..Default::default()
            },
            resident_mib: 30.5,
            seconds: 4.25,
            ..Summary::default()
        };
        summary.latency_ms.preprocess = some;
        summary
    }

    #[test]
    fn the_json_keeps_its_names() {
        let json = serde_json::to_string_pretty(&sample()).expect("plain data") + "\n";
        assert_eq!(json, include_str!("../../tests/data/golden/summary.json"));
    }

    #[test]
    fn the_text_for_people() {
        assert_eq!(sample().to_string(), include_str!("../../tests/data/golden/summary.txt"));
    }
}
