//! Which kinds of camera, sensor, trigger, gate and connection go together.

use super::super::timing::length;
use super::Rules;
use crate::config::{
    CameraKind, Config, ConfirmKind, EncoderKind, GateKind, Pace, Pin, PositionSource, SensorKind, Trigger,
    Unsure,
};

pub(super) fn check(config: &Config, rules: &mut Rules) {
    check_sources(config, rules);
    check_gate(config, rules);
    check_followed(config, rules);
    check_proof(config, rules);
    check_pins(config, rules);
    check_mqtt(config, rules);
    if let (Some(threshold), Some(unsure)) = (config.model.threshold, config.model.unsure) {
        let most = f64::from(threshold.min(1.0 - threshold)).max(0.0);
        // Half a part in a thousand for the rounding of decimal numbers.
        rules.between(&["model.unsure", "model.threshold"], f64::from(unsure) <= most + 5e-4, || {
            format!("{unsure} around the threshold {threshold} reaches beyond 0 to 1; right would be at most {most:.3}")
        });
    }
}

fn check_sources(config: &Config, rules: &mut Rules) {
    let (camera, sensor, trigger) = (&config.camera, config.sensor.kind, config.decide.trigger);
    let folder = camera.kind == CameraKind::Folder;
    let named = camera.path.as_ref().is_some_and(|path| !path.as_os_str().is_empty());
    rules.between(&["camera.path", "camera.kind"], !folder || named, || {
        "is missing; `kind: folder` needs the folder of pictures".to_owned()
    });
    rules.between(&["sensor.kind", "camera.kind"], !(folder && sensor == SensorKind::Simulated), || {
        "`simulated` knows nothing of the parts in a folder of pictures; right would be `none`, with `decide.trigger: every_frame`"
            .to_owned()
    });
    let real = camera.kind == CameraKind::V4l;
    rules.between(&["sensor.kind", "camera.kind"], !(real && sensor == SensorKind::Simulated), || {
        "`simulated` knows nothing of the parts before a real camera; right would be `gpiochip`, or `none` with `decide.trigger: vision`"
            .to_owned()
    });
    rules.between(
        &["confirm.kind", "camera.kind"],
        !(real && config.confirm.kind == ConfirmKind::Simulated),
        || {
            "`simulated` knows nothing of the parts before a real camera; right would be `gpiochip` or `none`"
                .to_owned()
        },
    );
    rules.between(
        &["decide.trigger", "sensor.kind"],
        !(trigger == Trigger::Sensor && sensor == SensorKind::None),
        || {
            "`sensor` needs a sensor, but `sensor.kind` is `none`; right would be `vision`, `software` or `every_frame`"
                .to_owned()
        },
    );
    let belt = camera.kind == CameraKind::Simulated;
    rules.between(&["decide.trigger", "camera.kind"], !belt || trigger != Trigger::EveryFrame, || {
        "`every_frame` is for cameras that take one picture of each part; on the simulated belt right would be `sensor` or `vision`"
            .to_owned()
    });
    let full = folder && camera.pace == Pace::Full;
    rules.between(
        &["decide.trigger", "camera.kind", "camera.pace"],
        !(full && trigger == Trigger::Vision),
        || "`vision` follows parts by time, which `camera.pace: full` does not keep; right would be `every_frame`".to_owned(),
    );
    let find = config.preprocess.find;
    rules.between(&["preprocess.find", "decide.trigger"], find || trigger == Trigger::EveryFrame, || {
        "`false` takes the whole picture for one part, which only `decide.trigger: every_frame` can use"
            .to_owned()
    });
    let slowest = 2.0 / camera.rate.as_per_s();
    rules.between(&["camera.lost_after", "camera.rate"], full || camera.lost_after.as_s() >= slowest, || {
        let (given, rate, least) = (camera.lost_after, camera.rate, super::super::timing::time(slowest));
        format!("a healthy camera at {rate} would count as lost after {given}; right would be at least {least}, two frames")
    });
}

fn check_gate(config: &Config, rules: &mut Rules) {
    let gate = &config.gate;
    if gate.kind != GateKind::Gpiochip {
        return;
    }
    let line = gate.line.as_deref().unwrap_or_default();
    let chip = gate.chip.as_deref().unwrap_or_default();
    rules.between(&["gate.line", "gate.kind"], !line.is_empty(), || {
        "is missing; `kind: gpiochip` needs the name or the number of its line".to_owned()
    });
    let by_number = !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit());
    rules.between(&["gate.chip", "gate.line", "gate.kind"], !(by_number && chip.is_empty()), || {
        format!("is missing; a line given by its number, {line}, needs its chip, such as `gpiochip0`")
    });
    let full = config.camera.kind == CameraKind::Folder && config.camera.pace == Pace::Full;
    rules.between(&["gate.kind", "camera.kind", "camera.pace"], !full, || {
        "`gpiochip` moves a real gate, but `camera.pace: full` keeps no time; right would be `pace: rate` or a simulated gate"
            .to_owned()
    });
}

/// How the belt is followed.
fn check_followed(config: &Config, rules: &mut Rules) {
    let (position, camera, sensor) = (&config.position, config.camera.kind, config.sensor.kind);
    let followed = config.follows_belt();
    let encoder = followed && position.source == PositionSource::Encoder;
    let simulated = camera == CameraKind::Simulated;
    rules.between(
        &["position.source", "position.encoder", "camera.kind", "decide.trigger"],
        !encoder || position.encoder != EncoderKind::Simulated || simulated,
        || {
            "the encoder of the simulated line knows nothing of another camera's belt; right would be `source: speed`, or an \
             `encoder` of the kind `gpiochip` or `sysfs`"
                .to_owned()
        },
    );
    rules.between(
        &["position.path", "position.encoder", "position.source"],
        !encoder || position.encoder != EncoderKind::Sysfs || position.path.is_some(),
        || "is missing; `encoder: sysfs` needs the file that holds the count".to_owned(),
    );
    rules.between(
        &["position.a", "position.encoder", "position.source"],
        !encoder || position.encoder != EncoderKind::Gpiochip || position.a.is_some(),
        || "is missing; `encoder: gpiochip` needs the line of the encoder's track A".to_owned(),
    );
    let step = 1.0 / position.pulses_per_mm;
    rules.between(
        &["position.pulses_per_mm", "position.tolerance", "position.source"],
        !encoder || step <= position.tolerance.as_mm() / 2.0,
        || {
            format!(
                "a pulse every {} cannot tell the position to within `position.tolerance` {}; right would be at least {}",
                length(step),
                position.tolerance,
                2.0 / position.tolerance.as_mm()
            )
        },
    );
    let two = followed && position.source == PositionSource::TwoSensors;
    rules.between(
        &["position.second_sensor", "position.source", "sensor.kind"],
        !two || (position.second_sensor.is_some() && sensor == SensorKind::Gpiochip),
        || {
            "is missing; `source: two_sensors` needs a sensor of the kind `gpiochip` and a second one"
                .to_owned()
        },
    );
    rules.between(
        &["position.tolerance", "line.min_pitch"],
        !followed || position.tolerance.as_mm() <= config.line.min_pitch.as_mm() / 4.0,
        || {
            format!(
                "{} is more than a quarter of `line.min_pitch`: two parts could be taken for one another; right would be at most {}",
                position.tolerance,
                length(config.line.min_pitch.as_mm() / 4.0)
            )
        },
    );
}

/// What proves the gate's doing, and the second gate.
fn check_proof(config: &Config, rules: &mut Rules) {
    let (gate, second, confirm) = (&config.gate, &config.second_gate, &config.confirm);
    let simulated = confirm.kind == ConfirmKind::Simulated;
    let known = gate.kind == GateKind::Simulated;
    rules.between(&["confirm.kind", "gate.kind"], !simulated || known, || {
        "the confirm sensor of the simulated line does not see a real gate's parts; right would be `none` or `gpiochip`".to_owned()
    });
    rules.between(
        &["confirm.position", "gate.position", "confirm.kind"],
        confirm.kind == ConfirmKind::None || confirm.position > gate.position,
        || {
            format!(
                "{} is not behind the gate; right would be more than `gate.position` {}",
                confirm.position, gate.position
            )
        },
    );
    let wanted = config.decide.unsure == Unsure::SecondGate;
    rules.between(&["decide.unsure", "second_gate.enabled"], !wanted || second.enabled, || {
        "`second_gate` needs a second gate, but `second_gate.enabled` is `false`".to_owned()
    });
    rules.between(
        &["second_gate.position", "gate.position", "second_gate.enabled"],
        !second.enabled || second.position > gate.position,
        || {
            format!(
                "{} is not behind the first gate; right would be more than `gate.position` {}",
                second.position, gate.position
            )
        },
    );
    let real = second.enabled && gate.kind == GateKind::Gpiochip;
    rules.between(
        &["second_gate.line", "second_gate.enabled", "gate.kind"],
        !real || second.line.as_ref().is_some_and(|line| !line.is_empty()),
        || "is missing; the second gate needs the name or the number of its line".to_owned(),
    );
}

/// Every GPIO line that is named must be findable, and one that is needed must be named.
fn check_pins(config: &Config, rules: &mut Rules) {
    let (sensor, confirm) = (&config.sensor, &config.confirm);
    for (key, needed, pin) in [
        ("sensor.pin", sensor.kind == SensorKind::Gpiochip, &sensor.pin),
        ("confirm.pin", confirm.kind == ConfirmKind::Gpiochip, &confirm.pin),
    ] {
        rules.between(&[key], !needed || pin.is_some(), || {
            "is missing; `kind: gpiochip` needs its line".to_owned()
        });
    }
    for (key, pin) in config.pins() {
        let Some(Pin { chip, line, .. }) = pin else { continue };
        let line = line.as_deref().unwrap_or_default();
        let number = !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit());
        if line.is_empty() {
            rules.refuse(key, "has no `line`: write its name or its number");
        } else if number && chip.as_deref().unwrap_or_default().is_empty() {
            rules.refuse(
                key,
                format!(
                    "has no `chip`: line {line}, given by its number, needs its chip, such as `gpiochip0`"
                ),
            );
        }
    }
}

fn check_mqtt(config: &Config, rules: &mut Rules) {
    let (mqtt, tls, commands) = (&config.mqtt, &config.mqtt.tls, &config.commands);
    rules.between(&["commands.mqtt", "mqtt.enabled"], !commands.mqtt || mqtt.enabled, || {
        "`true` needs a broker, but `mqtt.enabled` is `false`".to_owned()
    });
    let software = config.decide.trigger == Trigger::Software;
    rules.between(
        &["decide.trigger", "commands.socket", "commands.mqtt"],
        !software || commands.socket.is_some() || commands.mqtt,
        || "`software` needs a way for commands to come in: `commands.socket` or `commands.mqtt`".to_owned(),
    );
    rules.between(
        &["mqtt.user", "mqtt.password_file"],
        mqtt.user.is_some() || mqtt.password_file.is_none(),
        || "is missing; `password_file` is of use only with a user".to_owned(),
    );
    rules.between(&["mqtt.tls.ca_file", "mqtt.tls.enabled"], !tls.enabled || tls.ca_file.is_some(), || {
        "is missing; encryption needs the certificates that are trusted, such as `/etc/ssl/certs/ca-certificates.crt`".to_owned()
    });
    rules.between(
        &["mqtt.tls.key_file", "mqtt.tls.cert_file"],
        tls.cert_file.is_none() || tls.key_file.is_some(),
        || "is missing; `cert_file` needs its key".to_owned(),
    );
    rules.between(
        &["mqtt.tls.cert_file", "mqtt.tls.key_file"],
        tls.key_file.is_none() || tls.cert_file.is_some(),
        || "is missing; `key_file` needs its certificate".to_owned(),
    );
    for (key, file) in [
        ("mqtt.password_file", &mqtt.password_file),
        ("mqtt.tls.ca_file", &tls.ca_file),
        ("mqtt.tls.cert_file", &tls.cert_file),
        ("mqtt.tls.key_file", &tls.key_file),
        ("simulation.parts_from", &config.simulation.parts_from),
    ] {
        if file.as_ref().is_some_and(|file| file.as_os_str().is_empty()) {
            rules.refuse(key, "is empty; write a file name or take the key out");
        }
    }
}
