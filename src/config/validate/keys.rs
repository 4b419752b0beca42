//! Ranges and forms of single keys.

use super::Rules;
use crate::config::{Config, Mqtt, Preprocess, Simulation};
use crate::units::{Length, Rate, Share, Span, Speed, Stretch};

/// Least and most of everything that lies along the belt: a hundredth of the smallest castings to the longest lines.
const SHORTEST: Length = Length::mm(1.0);
const FARTHEST: Length = Length::mm(100_000.0);
/// Longest of everything that has to fit between two parts or under one camera.
const LONGEST: Length = Length::mm(10_000.0);

pub(super) fn check(config: &Config, rules: &mut Rules) {
    let Config { line, camera, preprocess, model, decide, gate, mqtt, simulation, .. } = config;
    name(rules, "line.name", &line.name);
    rules.range("line.speed", line.speed, Speed::mm_per_s(1.0), Speed::mm_per_s(20_000.0));
    rules.range("line.part_length", line.part_length, SHORTEST, LONGEST);
    rules.range("line.min_pitch", line.min_pitch, SHORTEST, FARTHEST);

    rules.range("camera.position", camera.position, Length::mm(-100_000.0), FARTHEST);
    rules.range("camera.view", camera.view, SHORTEST, LONGEST);
    rules.range("camera.width", camera.width, 16, 4096);
    rules.range("camera.height", camera.height, 16, 4096);
    rules.range("camera.rate", camera.rate, Rate::per_s(0.1), Rate::per_s(1000.0));
    rules.range("camera.lost_after", camera.lost_after, Span::ms(10.0), Span::s(3600.0));
    rules.range("camera.stamp_delay", camera.stamp_delay, Span::ms(0.0), Span::s(1.0));
    if let Some(exposure) = camera.exposure {
        rules.range("camera.exposure", exposure, Span::ms(0.1), Span::s(10.0));
    }
    if let Some(kelvin) = camera.white_balance {
        rules.range("camera.white_balance", kelvin, 1000, 20_000);
    }

    check_preprocess(preprocess, rules);

    if model.path.as_os_str().is_empty() {
        rules.refuse("model.path", "is empty; write an ONNX file, `demo` or `casting`");
    }
    if let Some(threshold) = model.threshold {
        rules.range("model.threshold", threshold, 0.0, 1.0);
    }
    if let Some(unsure) = model.unsure {
        rules.range("model.unsure", unsure, 0.0, 0.5);
    }

    rules.range("decide.margin", decide.margin, Span::s(0.0), Span::s(60.0));
    rules.range("decide.stale_after", decide.stale_after, Span::ms(1.0), Span::s(3600.0));
    rules.range("decide.min_looks", decide.min_looks, 1, 64);
    if let Some(inference) = decide.inference {
        rules.range("decide.inference", inference, Span::s(0.0), Span::s(10.0));
    }
    rules.range("decide.max_parts", decide.max_parts, 1, 4096);

    rules.range("gate.position", gate.position, Length::mm(-100_000.0), FARTHEST);
    stretch(rules, "gate.pulse", gate.pulse, SHORTEST);
    stretch(rules, "gate.lead", gate.lead, Length::mm(0.0));
    rules.range("gate.recovery", gate.recovery, Span::s(0.0), Span::s(10.0));
    for (key, max_on) in [("gate.max_on", gate.max_on), ("second_gate.max_on", config.second_gate.max_on)] {
        if let Some(max_on) = max_on {
            rules.range(key, max_on, Span::ms(10.0), Span::s(3600.0));
        }
    }
    rules.range("gate.delay", gate.delay, Span::s(0.0), Span::s(60.0));

    check_mqtt(mqtt, rules);
    check_simulation(simulation, rules);
    check_line_devices(config, rules);
}

fn check_preprocess(preprocess: &Preprocess, rules: &mut Rules) {
    if let Some(region) = preprocess.region {
        rules.range("preprocess.region.width", region.width, 16, 4096);
        rules.range("preprocess.region.height", region.height, 16, 4096);
        rules.range("preprocess.region.x", region.x, 0, 4096);
        rules.range("preprocess.region.y", region.y, 0, 4096);
    }
    rules.range("preprocess.min_sharpness", preprocess.min_sharpness, 0.0, 128.0);
    rules.range("preprocess.contrast", preprocess.contrast, 1, 255);
    rules.range("preprocess.margin", preprocess.margin, Share::fraction(0.0), Share::fraction(1.0));
    rules.range("preprocess.tolerance", preprocess.tolerance, Share::fraction(0.01), Share::fraction(0.9));
}

fn check_mqtt(mqtt: &Mqtt, rules: &mut Rules) {
    let plain = |text: &str| !text.contains(|c: char| c.is_control() || c.is_whitespace());
    if mqtt.host.is_empty() || mqtt.host.len() > 253 || !plain(&mqtt.host) || mqtt.host.contains('/') {
        rules.refuse("mqtt.host", "is not a host name or address such as `broker.local` or `192.168.1.10`");
    }
    rules.range("mqtt.port", mqtt.port, 1, 65535);
    if let Some(id) = &mqtt.client_id
        && (id.is_empty() || id.len() > 128 || !plain(id))
    {
        rules.refuse("mqtt.client_id", "is not 1 to 128 letters without spaces");
    }
    if mqtt.user.as_ref().is_some_and(|user| user.is_empty() || user.contains('\0')) {
        rules.refuse("mqtt.user", "is empty; take the key out to connect without a user");
    }
    let prefix = &mqtt.prefix;
    if prefix.is_empty()
        || prefix.len() > 256
        || prefix.contains(|c: char| c == '+' || c == '#' || c.is_control())
    {
        rules.refuse(
            "mqtt.prefix",
            "is not 1 to 256 letters without `+` and `#`, which are wildcards of MQTT",
        );
    } else if prefix.starts_with(['/', '$']) || prefix.ends_with('/') {
        rules.refuse(
            "mqtt.prefix",
            "begins or ends with `/`, or begins with `$`; right would be `factory/hall2`",
        );
    }
    rules.range("mqtt.keep_alive", mqtt.keep_alive, Span::s(1.0), Span::s(18.0 * 3600.0));
    rules.range("mqtt.queue", mqtt.queue, 1, 100_000);
}

/// What is read off the line, and what is told to the PLC.
fn check_line_devices(config: &Config, rules: &mut Rules) {
    let Config { sensor, position, second_gate, confirm, line_stop, outputs, store, .. } = config;
    let whole = Share::fraction(1.0);
    rules.range("sensor.bounce", sensor.bounce, Length::mm(0.0), LONGEST);
    rules.range("sensor.longest", sensor.longest, whole, Share::fraction(3.0));
    rules.range("sensor.shortest", sensor.shortest, Share::fraction(0.0), whole);
    rules.range("sensor.missed", sensor.missed, 1, 100);
    rules.range("position.pulses_per_mm", position.pulses_per_mm, 0.01, 1000.0);
    rules.range("position.tolerance", position.tolerance, Length::mm(0.5), Length::mm(250.0));
    rules.range("position.speed_tolerance", position.speed_tolerance, Share::fraction(0.01), whole);
    rules.range("position.second_sensor_at", position.second_sensor_at, SHORTEST, LONGEST);
    rules.range("second_gate.position", second_gate.position, Length::mm(-100_000.0), FARTHEST);
    stretch(rules, "second_gate.pulse", second_gate.pulse, SHORTEST);
    rules.range("second_gate.delay", second_gate.delay, Span::s(0.0), Span::s(10.0));
    rules.range("confirm.position", confirm.position, Length::mm(-100_000.0), FARTHEST);
    if let Some(tolerance) = confirm.tolerance {
        rules.range("confirm.tolerance", tolerance, SHORTEST, LONGEST);
    }
    rules.range("line_stop.consecutive_rejects", line_stop.consecutive_rejects, 0, 10_000);
    rules.range("line_stop.reject_rate", line_stop.reject_rate, Share::fraction(0.0), whole);
    rules.range("line_stop.reject_window", line_stop.reject_window, 2, 4096);
    rules.range("outputs.life_period", outputs.life_period, Span::ms(20.0), Span::s(60.0));
    rules.range("outputs.pulse", outputs.pulse, Span::ms(1.0), Span::s(10.0));
    rules.range("store.keep", store.keep, Span::s(3600.0), Span::s(87_600.0 * 3600.0));
    rules.range("store.max_mib", store.max_mib, 1, 1_000_000);
    if config.commands.socket.as_ref().is_some_and(|path| path.as_os_str().is_empty()) {
        rules.refuse("commands.socket", "is empty; write a file name, or take the key out");
    }
    if store.path.as_os_str().is_empty() {
        rules.refuse("store.path", "is empty; write a file name, or `store.enabled: false`");
    }
}

/// A stretch of belt, as a length or as a time.
fn stretch(rules: &mut Rules, key: &str, value: Stretch, least: Length) {
    match value {
        Stretch::Length(length) => rules.range(key, length, least, LONGEST),
        Stretch::Span(span) => rules.range(key, span, Span::s(0.0), Span::s(10.0)),
    }
}

fn check_simulation(simulation: &Simulation, rules: &mut Rules) {
    rules.range("simulation.defects", simulation.defects, Share::fraction(0.0), Share::fraction(1.0));
    let sequence = simulation.sequence.as_deref().unwrap_or("o");
    if sequence.is_empty() || sequence.len() > 4096 || sequence.contains(|c| c != 'd' && c != 'o') {
        rules.refuse("simulation.sequence", "is not 1 to 4096 letters `d` and `o`");
    }
    rules.range("simulation.pitch", simulation.pitch, SHORTEST, FARTHEST);
    rules.range("simulation.jitter", simulation.jitter, Length::mm(0.0), FARTHEST);
    rules.range("simulation.exposure", simulation.exposure, Span::s(0.0), Span::s(1.0));
    rules.range("simulation.noise", simulation.noise, 0.0, 64.0);
    rules.range("simulation.light_drift", simulation.light_drift, Share::fraction(0.0), Share::fraction(1.0));
}

fn name(rules: &mut Rules, key: &str, name: &str) {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || name.len() > 64 || !name.chars().all(fits) {
        let shown = crate::printable::short(name, 70);
        rules.refuse(key, format!("`{shown}` is not 1 to 64 letters (a to z), digits, `-` and `_`"));
    }
}
