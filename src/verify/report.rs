//! The dated report of a fail-safe test, as people file it.

use std::fmt::Write as _;

use super::{Ended, Ending, Step};
use crate::decide::PartRecord;
use crate::verdict::Verdict;

/// What a report says of the line.
#[derive(Debug, Clone, Default)]
pub struct Meta {
    /// When the test began, RFC 3339.
    pub at: String,
    /// Name of the line.
    pub line: String,
    /// Name and fingerprint of the model.
    pub model: String,
    /// Fingerprint of the configuration.
    pub config: String,
    /// Version of castgate.
    pub version: String,
    /// Why the line broke off the test, if it did.
    pub broken_off: Option<String>,
    /// What is known of the parts since the last good test, for a test that failed.
    pub since_last_good: Option<String>,
}

/// Whether the line went through every step and those that could be tried passed, and the report.
pub fn report(meta: &Meta, steps: &[Ended]) -> (bool, String) {
    let failed = steps.iter().any(|step| matches!(step.ending, Ending::Failed(_)));
    let good = !failed && meta.broken_off.is_none() && steps.len() == Step::ALL.len();
    let mut out = String::new();
    // Writing to a text cannot fail.
    let _ = writeln!(out, "castgate fail-safe test: {}\n", if good { "PASSED" } else { "FAILED" });
    for (name, value) in [
        ("begun", &meta.at),
        ("line", &meta.line),
        ("model", &meta.model),
        ("configuration", &meta.config),
        ("castgate", &meta.version),
    ] {
        let _ = writeln!(out, "{name:<15}{value}");
    }
    out.push('\n');
    for (index, ended) in steps.iter().enumerate() {
        let (word, why) = match &ended.ending {
            Ending::Passed => ("passed", String::new()),
            Ending::Failed(what) => ("FAILED", format!(": {what}")),
            Ending::Skipped(why) => ("not tried", format!(": {why}")),
        };
        let _ = writeln!(out, "{}. {:<32} {word}{why}", index + 1, ended.step.name());
        for part in &ended.parts {
            let _ = writeln!(out, "     {}", told(part));
        }
    }
    for step in Step::ALL.iter().skip(steps.len()) {
        let _ = writeln!(out, "-  {:<32} not reached", step.name());
    }
    if let Some(why) = &meta.broken_off {
        let _ = writeln!(out, "\nThe line failed: {why}");
    }
    if !good {
        let since =
            meta.since_last_good.as_deref().unwrap_or("unknown: no histories are kept (store.enabled)");
        let _ = write!(
            out,
            "\nHold everything made since the last good test.\nparts since the last good test: {since}\n"
        );
    }
    out.push_str("\ntested by ______________________   seen by ______________________\n");
    (good, out)
}

fn told(part: &PartRecord) -> String {
    let verdict = match part.verdict {
        Verdict::Ok => "OK".to_owned(),
        Verdict::Reject(reason) => format!("REJECT for {reason}"),
    };
    let score = part.score.map(|score| format!(", score {:.3}", score.get())).unwrap_or_default();
    format!("part {}: {verdict}{score}, {}", part.number, part.outcome.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Time;
    use crate::verdict::PartNumber;
    use std::sync::Arc;

    fn meta() -> Meta {
        Meta {
            at: "2026-01-01T06:00:00Z".to_owned(),
            line: "casting-3".to_owned(),
            model: "casting@1a2b3c4d5e6f".to_owned(),
            config: "9f8e7d6c5b4a".to_owned(),
            version: "0.1.0".to_owned(),
            broken_off: Some("camera: gone".to_owned()),
            since_last_good: Some(
                "no good test is on record\n  passed              2: 1204 to 1205".to_owned(),
            ),
        }
    }

    #[test]
    fn a_failed_test_names_the_parts_since_the_last_good_one() {
        let part = Arc::new(PartRecord::opened(PartNumber(1378), Time::ZERO));
        let failed = Ending::Failed("part 1378: it passed without a camera".to_owned());
        let steps = [
            Ended { step: Step::ThreeDefective, ending: Ending::Passed, parts: Vec::new() },
            Ended { step: Step::CameraUnplugged, ending: failed, parts: vec![part] },
            Ended {
                step: Step::BrokerStopped,
                ending: Ending::Skipped("no broker is configured"),
                parts: Vec::new(),
            },
        ];
        let (good, text) = report(&meta(), &steps);
        assert!(!good);
        assert_eq!(text, include_str!("../../tests/data/golden/verify.txt"));
        let passed = Step::ALL.map(|step| Ended { step, ending: Ending::Passed, parts: Vec::new() });
        let whole = Meta { broken_off: None, ..meta() };
        assert!(report(&whole, &passed).0 && !report(&whole, &passed[..5]).0 && !report(&meta(), &passed).0);
    }
}
