//! The geometry of the line: whether parts are seen whole, told apart, and judged before they reach the gate.

use super::Rules;
use crate::config::timing::{Timing, length, speed, time};
use crate::config::{CameraKind, Config, GateKind, Trigger};
use crate::units::Stretch;

/// Greatest share of the picture that parts may fill.
const MOST_FILLED: f64 = 0.6;

pub(super) fn check(config: &Config, rules: &mut Rules) {
    let timing = Timing::of(config);
    check_region(config, rules);
    match config.decide.trigger {
        Trigger::Sensor | Trigger::Software | Trigger::Vision => {
            check_pitch(config, rules);
            check_view(config, &timing, rules);
            check_gate(config, &timing, rules);
        }
        // Pictures of single parts are followed by time only where a real gate waits for them.
        Trigger::EveryFrame if config.gate.kind == GateKind::Gpiochip => {
            check_gate(config, &timing, rules);
            let pitch = config.line.speed.as_mm_per_s() / config.camera.rate.as_per_s();
            let least = config.line.min_pitch;
            rules.between(&["camera.rate", "line.speed", "line.min_pitch"], pitch >= least.as_mm(), || {
                let most = config.line.speed.as_mm_per_s() / least.as_mm();
                format!(
                    "at {} a part follows every {}, closer than `line.min_pitch` {least}; right would be at most {:.2}fps",
                    config.camera.rate,
                    length(pitch),
                    (most * 100.0).floor() / 100.0
                )
            });
        }
        Trigger::EveryFrame => {}
    }
    if config.camera.kind == CameraKind::Simulated {
        check_simulation(config, rules);
    }
}

fn check_region(config: &Config, rules: &mut Rules) {
    let (Some(region), camera) = (config.preprocess.region, &config.camera) else {
        return;
    };
    if camera.kind != CameraKind::Simulated {
        return;
    }
    for (key, size, from, extent, whole) in [
        ("preprocess.region.width", "camera.width", region.x, region.width, camera.width),
        ("preprocess.region.height", "camera.height", region.y, region.height, camera.height),
    ] {
        let end = u64::from(from) + u64::from(extent);
        rules.between(&[key, size, "preprocess.region"], end <= u64::from(whole), || {
            format!("the region ends at pixel {end}, outside the picture, whose `{size}` is {whole}")
        });
    }
}

fn check_pitch(config: &Config, rules: &mut Rules) {
    let (line, gate, second) = (&config.line, &config.gate, &config.second_gate);
    let (pitch, part) = (line.min_pitch, line.part_length);
    rules.between(&["line.min_pitch", "line.part_length"], pitch >= part, || {
        format!(
            "{pitch} is less than the length of a part; parts would overlap; right would be at least {part}"
        )
    });
    spares_neighbours(config, rules, &["gate.pulse", "line.min_pitch", "line.part_length"], gate.pulse);
    if second.enabled {
        let keys = ["second_gate.pulse", "line.min_pitch", "line.part_length", "line.speed"];
        spares_neighbours(config, rules, &keys, second.pulse);
    }
}

/// A gate's pulse, the first of `keys`, catches no neighbour of the part that it is for.
fn spares_neighbours(config: &Config, rules: &mut Rules, keys: &[&str], pulse: Stretch) {
    let (line, lead) = (&config.line, config.gate.lead);
    let (pitch, part, speed) = (line.min_pitch, line.part_length, line.speed.as_mm_per_s());
    // The gate stands in reject while the part's middle is within half a pulse of it. The neighbour's near edge is then still
    // pitch - part / 2 - pulse / 2 away from the gate; when that is negative, a good neighbour is pushed too.
    let most = 2.0 * pitch.as_mm() - part.as_mm();
    // A lead is on one side only, where the pulse may then reach twice as far.
    let pulse = pulse.mm_at(speed) + 2.0 * lead.mm_at(speed);
    rules.between(keys, pulse <= most || pitch < part, || {
        format!(
            "{} also catches the neighbour at `line.min_pitch` {pitch}; right would be at most 2 x {pitch} - {part} = {}",
            length(pulse),
            length(most)
        )
    });
}

fn check_view(config: &Config, timing: &Timing, rules: &mut Rules) {
    let (line, camera) = (&config.line, &config.camera);
    let rate = camera.rate.as_per_s();
    let needed = line.part_length.as_mm() + line.speed.as_mm_per_s() / rate;
    rules.between(&["camera.view", "line.part_length", "preprocess.region"], timing.whole > 0.0, || {
        format!(
            "a part of {} does not fit into the {} of belt that is looked at; right would be at least {}",
            line.part_length,
            length(timing.view),
            length(needed.ceil())
        )
    });
    rules.between(
        &["camera.view", "camera.rate", "line.speed", "line.part_length", "preprocess.region"],
        timing.whole <= 0.0 || timing.looks >= 1.0,
        || {
            format!(
                "a part is wholly in view for {}, less than the {} between two frames, so parts would pass unseen; right would \
                 be a view of at least {}, `camera.rate` of at least {}fps or `line.speed` of at most {}",
                time(timing.time_in_view),
                time(1.0 / rate),
                length(needed.ceil()),
                (line.speed.as_mm_per_s() / timing.whole).ceil(),
                speed(timing.greatest_speed_for_look)
            )
        },
    );
    check_belt_in_view(config, timing, rules);
    let least = f64::from(config.decide.min_looks);
    rules.between(
        &["decide.min_looks", "camera.view", "camera.rate", "line.speed", "line.part_length", "preprocess.region"],
        timing.looks < 1.0 || timing.looks >= least,
        || {
            format!(
                "a part is seen whole in {:.1} frames on average, fewer than {least}, so every part would be rejected; right would be at \
                 most {}, or `camera.rate` of at least {}fps",
                timing.looks,
                timing.looks.floor(),
                (least / timing.time_in_view).ceil()
            )
        },
    );
    // The part's middle is half a part before the sensor when its leading edge arrives there.
    let first_whole = timing.view_middle - timing.whole / 2.0;
    let opened = -line.part_length.as_mm() / 2.0;
    rules.between(
        &["camera.position", "camera.view", "line.part_length", "decide.trigger", "preprocess.region"],
        !matches!(config.decide.trigger, Trigger::Sensor | Trigger::Software)
            || timing.whole <= 0.0
            || first_whole >= opened,
        || {
            let least = camera.position.as_mm() + (opened - first_whole);
            format!(
                "a part is wholly in view before the sensor has announced it; right would be at least {}",
                length(least.ceil())
            )
        },
    );
    let pixels = line.part_length.as_mm() / camera.view.as_mm() * f64::from(camera.width);
    rules.between(
        &["camera.width", "camera.view", "line.part_length"],
        camera.kind != CameraKind::Simulated || pixels >= 16.0,
        || {
            let least = (16.0 * camera.view.as_mm() / line.part_length.as_mm()).ceil();
            format!("a part is only {pixels:.1} pixels long; right would be at least {least}, which gives 16")
        },
    );
}

/// Parts are found as what is not belt, and the belt is the commonest grey of the picture.
fn check_belt_in_view(config: &Config, timing: &Timing, rules: &mut Rules) {
    let (line, camera, region) = (&config.line, &config.camera, config.preprocess.region);
    if camera.kind != CameraKind::Simulated || timing.whole <= 0.0 || line.min_pitch < line.part_length {
        return;
    }
    let rows = region.map_or(camera.height, |region| region.height);
    let across = camera.view.as_mm() * f64::from(rows) / f64::from(camera.width);
    let part = std::f64::consts::FRAC_PI_4 * line.part_length.as_mm().powi(2);
    let filled = part / (line.min_pitch.as_mm() * across);
    let keys = ["line.min_pitch", "line.part_length", "camera.view", "camera.height", "preprocess.region"];
    rules.between(&keys, filled <= MOST_FILLED, || {
        format!(
            "parts would fill {:.0} % of the picture, so that belt and parts cannot be told apart; right would be at most {:.0} %: \
             a camera that sees more belt on both sides of the parts, or a greater `line.min_pitch`",
            100.0 * filled,
            100.0 * MOST_FILLED
        )
    });
}

fn check_gate(config: &Config, timing: &Timing, rules: &mut Rules) {
    let (line, gate, decide) = (&config.line, &config.gate, &config.decide);
    let keys = [
        "gate.position",
        "line.speed",
        "line.part_length",
        "camera.position",
        "camera.view",
        "preprocess.region",
        "gate.pulse",
        "gate.lead",
        "gate.delay",
        "decide.margin",
        "decide.inference",
        "decide.trigger",
    ];
    rules.between(&keys, timing.whole <= 0.0 || timing.slack >= 0.0, || {
        let faster = if timing.greatest_speed_for_gate >= 1.0 {
            format!(" or `line.speed` at most {}", speed(timing.greatest_speed_for_gate))
        } else {
            String::new()
        };
        format!(
            "the verdict would be {} late: a part is out of whole view at {} and the gate stands in reject for it from {} on, \
             so ({} - {}) / {} = {} are left, less than `gate.delay` {} + `decide.margin` {}{}; right would be at least {}{faster}",
            time(-timing.slack),
            length(timing.leaves_view),
            length(timing.reject_from),
            length(timing.reject_from),
            length(timing.leaves_view),
            line.speed,
            time((timing.reject_from - timing.leaves_view) / line.speed.as_mm_per_s()),
            gate.delay,
            decide.margin,
            decide.inference.map(|span| format!(" + `decide.inference` {span}")).unwrap_or_default(),
            length(timing.least_gate_position.ceil()),
        )
    });
    let keys = [
        "decide.max_parts",
        "gate.position",
        "gate.pulse",
        "gate.delay",
        "second_gate",
        "confirm",
        "line.speed",
        "line.part_length",
        "line.min_pitch",
        "camera.position",
        "camera.view",
    ];
    let trigger = config.decide.trigger;
    rules.between(
        &keys,
        trigger == Trigger::EveryFrame || f64::from(decide.max_parts) >= timing.parts_in_flight,
        || {
            format!(
                "up to {} parts can be between trigger and the last gate or confirm sensor, so {} would reject parts unseen; right would be at least {}",
                timing.parts_in_flight, decide.max_parts, timing.parts_in_flight
            )
        },
    );
}

fn check_simulation(config: &Config, rules: &mut Rules) {
    let (line, simulation) = (&config.line, &config.simulation);
    let closest = simulation.pitch.as_mm() - 2.0 * simulation.jitter.as_mm();
    rules.between(
        &["simulation.pitch", "simulation.jitter", "line.min_pitch"],
        closest >= line.min_pitch.as_mm(),
        || {
            let least = line.min_pitch.as_mm() + 2.0 * simulation.jitter.as_mm();
            format!(
                "two parts could come as close as {} - 2 x {} = {}, below `line.min_pitch` {}; right would be at least {}",
                simulation.pitch,
                simulation.jitter,
                length(closest),
                line.min_pitch,
                length(least)
            )
        },
    );
    let frame = 1.0 / config.camera.rate.as_per_s();
    rules.between(&["simulation.exposure", "camera.rate"], simulation.exposure.as_s() <= frame, || {
        format!("{} is longer than the {} between two frames", simulation.exposure, time(frame))
    });
}
