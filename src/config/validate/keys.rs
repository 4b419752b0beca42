//! Ranges and forms of single keys.

use super::Rules;
use crate::config::{Config, Mqtt, Preprocess, Simulation};
use crate::units::{Length, Rate, Share, Span, Speed};

/// Least and most of everything that lies along the belt: a hundredth of the smallest castings to the longest lines.
const SHORTEST: Length = Length::mm(1.0);
const FARTHEST: Length = Length::mm(100_000.0);
/// Longest of everything that has to fit between two parts or under one camera.
const LONGEST: Length = Length::mm(10_000.0);

pub(super) fn check(config: &Config, rules: &mut Rules) {
    let Config { line, camera, preprocess, model, decide, gate, mqtt, simulation, sensor: _ } = config;
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
    rules.range("decide.max_parts", decide.max_parts, 1, 4096);

    rules.range("gate.position", gate.position, Length::mm(-100_000.0), FARTHEST);
    rules.range("gate.pulse", gate.pulse, SHORTEST, LONGEST);
    rules.range("gate.delay", gate.delay, Span::s(0.0), Span::s(60.0));
    rules.range("gate.confirm", gate.confirm, Length::mm(-100_000.0), FARTHEST);

    check_mqtt(mqtt, rules);
    check_simulation(simulation, rules);
}

fn check_preprocess(preprocess: &Preprocess, rules: &mut Rules) {
    if let Some(region) = preprocess.region {
        rules.range("preprocess.region.width", region.width, 16, 4096);
        rules.range("preprocess.region.height", region.height, 16, 4096);
        rules.range("preprocess.region.x", region.x, 0, 4096);
        rules.range("preprocess.region.y", region.y, 0, 4096);
    }
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

fn check_simulation(simulation: &Simulation, rules: &mut Rules) {
    rules.range("simulation.defects", simulation.defects, Share::fraction(0.0), Share::fraction(1.0));
    rules.range("simulation.pitch", simulation.pitch, SHORTEST, FARTHEST);
    rules.range("simulation.jitter", simulation.jitter, Length::mm(0.0), FARTHEST);
    rules.range("simulation.exposure", simulation.exposure, Span::s(0.0), Span::s(1.0));
    rules.range("simulation.noise", simulation.noise, 0.0, 64.0);
    rules.range("simulation.light_drift", simulation.light_drift, Share::fraction(0.0), Share::fraction(1.0));
    rules.range("simulation.pulses_per_mm", simulation.pulses_per_mm, 0.001, 1000.0);
}

fn name(rules: &mut Rules, key: &str, name: &str) {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || name.len() > 64 || !name.chars().all(fits) {
        let shown = crate::config::problem::printable(name, 70);
        rules.refuse(key, format!("`{shown}` is not 1 to 64 letters (a to z), digits, `-` and `_`"));
    }
}
