//! A stretch of a shift, told moment by moment: what a person needs to understand a violation.

use std::fmt::Write as _;

use super::faults::{Fault, Faults};
use super::shift::Done;

/// So long before the stretch a part may have been triggered, in seconds.
const BEFORE_S: f64 = 4.0;

/// Everything from `from` to `until` seconds, in the order of time.
pub fn trace(done: &Done, faults: &Faults, from: f64, until: f64) -> String {
    let mut lines: Vec<(f64, String)> = Vec::new();
    for fault in Fault::ALL {
        for episode in faults.of(*fault).iter().filter(|e| e.until() >= from && e.from <= until) {
            let what = format!(
                "fault {} until {:.3} s, amount {:.3}",
                fault.name(),
                episode.until(),
                episode.amount
            );
            lines.push((episode.from, what));
        }
    }
    let inside = |at: f64| (from..=until).contains(&at);
    lines.extend(done.notes.iter().filter(|(at, _)| inside(*at)).cloned());
    lines.extend(done.moves.iter().filter(|m| inside(m.0)).map(|(at, to)| (*at, format!("gate {to:?}"))));
    for record in &done.records {
        let at = record.triggered_at.as_s();
        if at < from - BEFORE_S || at > until {
            continue;
        }
        let mut what = format!("part {} by {}:", record.number, record.announced.name());
        // Writing to a text cannot fail.
        let _ = match record.verdict.reason() {
            None => write!(what, " OK"),
            Some(reason) => write!(what, " REJECT {reason}"),
        };
        let (open, close) = (record.window.0.as_s(), record.window.1.as_s());
        let _ = write!(what, ", gate {open:.3} to {close:.3} s, {}", record.outcome.name());
        if let Some(confirmed) = record.confirmed_at {
            let _ = write!(what, " at {:.3} s", confirmed.as_s());
        }
        for (at, state) in &record.states {
            let _ = write!(what, "; {} {:.3}", state.name(), at.as_s());
        }
        for look in &record.views {
            let score = look.score.map_or_else(|| "-".to_owned(), |score| format!("{:.2}", score.get()));
            let (at, place) = (look.captured_at.as_s(), look.centre_mm);
            let _ = write!(
                what,
                "\n    frame {} at {at:.3} s: {place:.0} mm, off {:.1} mm, sharp {:.1}, score {score}",
                look.frame.0, look.off_mm, look.sharpness
            );
        }
        lines.push((at, what));
    }
    lines.extend(
        done.violations
            .iter()
            .filter(|v| inside(v.at))
            .map(|v| (v.at, format!("({}) BROKEN: {}", v.property, v.what))),
    );
    lines.sort_by(|a, b| a.0.total_cmp(&b.0));
    lines.iter().map(|(at, what)| format!("{at:10.3} s  {what}\n")).collect()
}
