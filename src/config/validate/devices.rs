//! Which kinds of camera, sensor, trigger, gate and connection go together.

use super::Rules;
use crate::config::{CameraKind, Config, GateKind, Pace, SensorKind, Trigger};

pub(super) fn check(config: &Config, rules: &mut Rules) {
    check_sources(config, rules);
    check_gate(config, rules);
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
    rules.between(
        &["decide.trigger", "sensor.kind"],
        !(trigger == Trigger::Sensor && sensor == SensorKind::None),
        || {
            "`sensor` needs a sensor, but `sensor.kind` is `none`; right would be `vision` or `every_frame`"
                .to_owned()
        },
    );
    rules.between(&["decide.trigger", "camera.kind"], folder || trigger != Trigger::EveryFrame, || {
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

fn check_mqtt(config: &Config, rules: &mut Rules) {
    let (mqtt, tls) = (&config.mqtt, &config.mqtt.tls);
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
