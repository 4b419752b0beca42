//! Tolerances, pulses and times against the belt: what would confuse two parts, miss one, or never let one pass.

use std::collections::HashMap;

use super::Rules;
use crate::config::timing::{length, time};
use crate::config::{Config, ConfirmKind, GateKind, GateState, Pin, Trigger};
use crate::units::{Span, Stretch};

pub(super) fn check(config: &Config, rules: &mut Rules) {
    if config.decide.trigger != Trigger::EveryFrame {
        check_bounce(config, rules);
        check_pulses(config, rules);
        check_confirm(config, rules);
    }
    check_longest_on(config, rules);
    check_stale(config, rules);
    check_shared_lines(config, rules);
}

/// The sensor is uncovered between two parts for the gap between them: what is taken for bounce must be less.
fn check_bounce(config: &Config, rules: &mut Rules) {
    let (line, sensor) = (&config.line, &config.sensor);
    if config.decide.trigger != Trigger::Sensor {
        return;
    }
    let gap = line.min_pitch.as_mm() - line.part_length.as_mm();
    let keys = ["sensor.bounce", "line.min_pitch", "line.part_length"];
    rules.between(&keys, gap < 0.0 || sensor.bounce.as_mm() <= gap, || {
        format!(
            "{} is more than the gap between two parts, {} - {}: the second would be taken for bounce of the first; right would be \
             at most {}",
            sensor.bounce,
            line.min_pitch,
            line.part_length,
            length(gap)
        )
    });
    let steady = sensor.pin.as_ref().and_then(|pin| pin.debounce).map_or(0.0, Span::as_s);
    let most = gap / line.speed.as_mm_per_s();
    let keys = ["sensor.pin", "line.min_pitch", "line.part_length", "line.speed"];
    rules.between(&keys, gap < 0.0 || steady <= most, || {
        format!(
            "`debounce` {} is longer than the sensor is uncovered between two parts; right would be at most {}",
            time(steady),
            time(most)
        )
    });
}

/// A pulse reaches as far to both sides of the part's middle as the position may be wrong, and lets good parts between rejects pass.
fn check_pulses(config: &Config, rules: &mut Rules) {
    let (line, gate, second) = (&config.line, &config.gate, &config.second_gate);
    let speed = line.speed.as_mm_per_s();
    let least = 2.0 * config.position.tolerance.as_mm();
    let mut reaches = |key: &str, pulse: Stretch| {
        rules.between(&[key, "position.tolerance", "line.speed"], pulse.mm_at(speed) >= least, || {
            format!(
                "{} is less than twice `position.tolerance` {}: a part could lie beside it; right would be at least {}",
                length(pulse.mm_at(speed)),
                config.position.tolerance,
                length(least)
            )
        });
    };
    reaches("gate.pulse", gate.pulse);
    if second.enabled {
        reaches("second_gate.pulse", second.pulse);
    }
    // A good part between two that are removed: the gate has to be back for it.
    let room = 2.0 * line.min_pitch.as_mm() - gate.pulse.mm_at(speed) - gate.lead.mm_at(speed);
    let back = speed * gate.recovery.as_s();
    let parts = 10.0;
    let keys = ["gate.recovery", "gate.pulse", "line.min_pitch", "line.speed"];
    rules.between(&keys, back <= room.max(0.0) + parts * line.min_pitch.as_mm(), || {
        format!(
            "in {} the belt runs {}: more than {parts} good parts between two rejects would be removed with them; right would be at \
             most {}",
            gate.recovery,
            length(back),
            time((room.max(0.0) + parts * line.min_pitch.as_mm()) / speed)
        )
    });
}

fn check_confirm(config: &Config, rules: &mut Rules) {
    let (Some(tolerance), pitch) = (config.confirm.tolerance, config.line.min_pitch) else { return };
    let most = pitch.as_mm() / 2.0;
    let keys = ["confirm.tolerance", "line.min_pitch"];
    let none = config.confirm.kind == ConfirmKind::None;
    rules.between(&keys, none || tolerance.as_mm() <= most, || {
        format!(
            "{tolerance} is more than half of `line.min_pitch` {pitch}: one part could be taken for the proof of another; right \
             would be at most {}",
            length(most)
        )
    });
}

/// Letting go of a gate must let pass, and not before one part is removed.
fn check_longest_on(config: &Config, rules: &mut Rules) {
    let (gate, second, speed) = (&config.gate, &config.second_gate, config.line.speed.as_mm_per_s());
    rules.between(&["gate.max_on", "gate.safe"], gate.max_on.is_none() || gate.safe == GateState::Pass, || {
        "does nothing where `gate.safe` is `reject`; right would be `safe: pass`, or no `max_on` for a gate that is wired \
         de-energise-to-reject"
            .to_owned()
    });
    for (key, pulse, max_on) in [
        (["gate.max_on", "gate.pulse", "gate.lead", "line.speed"], gate.pulse, gate.max_on),
        (
            ["second_gate.max_on", "second_gate.pulse", "gate.lead", "line.speed"],
            second.pulse,
            second.max_on.filter(|_| second.enabled),
        ),
    ] {
        // Two neighbours in one pulse are nothing to stop the line for.
        let least = (pulse.mm_at(speed) + gate.lead.mm_at(speed) + config.line.min_pitch.as_mm()) / speed;
        rules.between(&key, max_on.is_none_or(|most| most.as_s() >= least), || {
            format!(
                "two parts at `line.min_pitch` keep the gate in reject for {}, and would stop the line; right would be at least that",
                time(least)
            )
        });
    }
}

fn check_stale(config: &Config, rules: &mut Rules) {
    let decide = &config.decide;
    let answers = decide.inference.map_or(0.0, Span::as_s);
    rules.between(&["decide.stale_after", "decide.inference"], decide.stale_after.as_s() > answers, || {
        format!(
            "after {} every picture would be too old: the answers take `decide.inference` {}",
            decide.stale_after,
            time(answers)
        )
    });
}

/// A line has one use.
fn check_shared_lines(config: &Config, rules: &mut Rules) {
    let Config { gate, second_gate, .. } = config;
    let real = gate.kind == GateKind::Gpiochip;
    let main = (real, &gate.chip, &gate.line);
    let second = (real && second_gate.enabled, &second_gate.chip, &second_gate.line);
    let gates = [("gate.line", main), ("second_gate.line", second)]
        .into_iter()
        .filter(|(_, (used, ..))| *used)
        .map(|(key, (_, chip, line))| (key, chip, line));
    let pins = config
        .pins()
        .into_iter()
        .filter_map(|(key, pin)| pin.as_ref().map(|Pin { chip, line, .. }| (key, chip, line)));
    let mut uses = HashMap::new();
    for (key, chip, line) in gates.chain(pins) {
        let Some(line) = line.as_deref().filter(|line| !line.is_empty()) else { continue };
        if let Some(other) = uses.insert((chip.as_deref().unwrap_or_default(), line), key) {
            rules.between(&[key, other], false, || {
                format!("line {line} is also that of `{other}`; each line has one use")
            });
        }
    }
}
