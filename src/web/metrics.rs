//! The figures of a run in the text format of Prometheus (exposition format 0.0.4). A pure function of the summary.

use std::fmt::Write as _;

use crate::score::latency::Percentiles;
use crate::score::summary::Summary;

/// The figures of `summary` for the line named `line`. Counters count from the start of the run; times are in seconds.
pub fn metrics(line: &str, summary: &Summary) -> String {
    let mut page = Page { text: String::new(), line: label(line) };
    let frames = &summary.frames;
    page.family("parts_total", "counter", "Parts that left the line, by verdict.");
    page.sample("parts_total", &[("verdict", "ok")], summary.ok as f64);
    page.sample("parts_total", &[("verdict", "reject")], summary.rejected as f64);
    page.counts("rejects_total", "Rejected parts, by reason.", "reason", &summary.rejected_by_reason);
    page.counts("outcomes_total", "Parts, by the way they left.", "outcome", &summary.by_outcome);
    page.family("frames_total", "counter", "Frames that the camera delivered, by what became of them.");
    page.sample("frames_total", &[("fate", "inspected")], frames.inspected as f64);
    page.sample("frames_total", &[("fate", "dropped")], frames.dropped as f64);
    page.one("frames_unusable_total", "counter", "Pictures that were no frames.", frames.unusable as f64);
    page.one("frames_missed_total", "counter", "Pictures that nobody got.", frames.missed as f64);
    if let Some(rate) = frames.rate {
        page.one("frame_rate_hertz", "gauge", "Frames a second that the camera gave lately.", rate);
    }
    let troubles = &summary.troubles;
    page.family("troubles_total", "counter", "What went wrong without costing a part its number.");
    for (kind, count) in [
        ("late_answers", troubles.late_answers),
        ("missed_triggers", troubles.missed_triggers),
        ("surplus_triggers", troubles.surplus_triggers),
        ("bounces", troubles.bounces),
        ("position_losses", troubles.position_losses),
        ("gaps", troubles.gaps),
        ("unexpected_confirms", troubles.unexpected_confirms),
    ] {
        page.sample("troubles_total", &[("kind", kind)], count as f64);
    }
    page.one("lost_events_total", "counter", "Events that reached no listener.", summary.lost_events as f64);
    let latency = &summary.latency_ms;
    page.family("latency_seconds", "gauge", "How long things took since the start, by stage and quantile.");
    for (stage, of) in [
        ("preprocess", &latency.preprocess),
        ("infer", &latency.infer),
        ("decide", &latency.decide),
        ("frame_to_gate", &latency.frame_to_gate),
        ("gate", &latency.gate),
    ] {
        page.percentiles(stage, of);
    }
    page.one("resident_memory_bytes", "gauge", "Memory of the process.", summary.resident_mib * 1_048_576.0);
    page.one("uptime_seconds", "gauge", "Length of the run.", summary.seconds);
    page.text
}

/// A label's value as the format wants it.
fn label(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

struct Page {
    text: String,
    line: String,
}

impl Page {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a text cannot fail, here and below.
        let _ = writeln!(self.text, "# HELP castgate_{name} {help}\n# TYPE castgate_{name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        let _ = write!(self.text, "castgate_{name}{{line=\"{}\"", self.line);
        for (key, text) in labels {
            let _ = write!(self.text, ",{key}=\"{}\"", label(text));
        }
        let _ = writeln!(self.text, "}} {value}");
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: f64) {
        self.family(name, kind, help);
        self.sample(name, &[], value);
    }

    fn counts<'a>(
        &mut self,
        name: &str,
        help: &str,
        key: &str,
        counts: impl IntoIterator<Item = (&'a &'static str, &'a u64)>,
    ) {
        self.family(name, "counter", help);
        for (text, count) in counts {
            self.sample(name, &[(key, text)], *count as f64);
        }
    }

    fn percentiles(&mut self, stage: &str, of: &Percentiles) {
        for (quantile, ms) in [("0.5", of.p50), ("0.99", of.p99), ("0.999", of.p999), ("1", of.max)] {
            if let Some(ms) = ms {
                self.sample("latency_seconds", &[("stage", stage), ("quantile", quantile)], ms / 1000.0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_is_described_once_and_before_its_samples() {
        let mut summary = Summary { ok: 3, rejected: 2, seconds: 1.5, ..Summary::default() };
        summary.rejected_by_reason.insert("defect", 2);
        summary.latency_ms.infer.p99 = Some(2.5);
        let text = metrics("a \"b\"\\", &summary);
        assert!(text.contains("castgate_parts_total{line=\"a \\\"b\\\"\\\\\",verdict=\"ok\"} 3\n"), "{text}");
        assert!(text.contains("reason=\"defect\"} 2\n"), "{text}");
        assert!(text.contains("stage=\"infer\",quantile=\"0.99\"} 0.0025\n"), "{text}");
        let mut described = Vec::new();
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                let name = rest.split(' ').next().unwrap();
                assert!(!described.contains(&name), "{name}");
                described.push(name);
            } else if !line.starts_with('#') {
                let name = line.split('{').next().unwrap();
                assert_eq!(described.last(), Some(&name), "{line}");
            }
        }
    }
}
