//! A camera's settings: exposure, gain, focus, white balance, flicker. Set, read back, and told where the camera took another value.

use v4l::Device;
use v4l::control::{Control, Value};

use crate::config::{Camera, PowerLine};
use crate::units::Span;

/// A control of the kernel's interface (`V4L2_CID_*` in `linux/v4l2-controls.h`).
type Id = u32;

const AUTO_WHITE_BALANCE: Id = 0x0098_090c;
const AUTOGAIN: Id = 0x0098_0912;
const GAIN: Id = 0x0098_0913;
const POWER_LINE_FREQUENCY: Id = 0x0098_0918;
const WHITE_BALANCE_TEMPERATURE: Id = 0x0098_091a;
const EXPOSURE_AUTO: Id = 0x009a_0901;
/// In units of 100 us.
const EXPOSURE_ABSOLUTE: Id = 0x009a_0902;
/// Whether its automatic may take longer exposures than the rate leaves time for.
const EXPOSURE_AUTO_PRIORITY: Id = 0x009a_0903;
const FOCUS_ABSOLUTE: Id = 0x009a_090a;
const FOCUS_AUTO: Id = 0x009a_090c;

/// What a setting is called in the configuration, its control, and the automatic that would fight it with its value for "manual".
type Known = (&'static str, Id, Option<(Id, i64)>);

const KNOWN: [Known; 5] = [
    ("exposure", EXPOSURE_ABSOLUTE, Some((EXPOSURE_AUTO, 1))),
    ("gain", GAIN, Some((AUTOGAIN, 0))),
    ("focus", FOCUS_ABSOLUTE, Some((FOCUS_AUTO, 0))),
    ("white_balance", WHITE_BALANCE_TEMPERATURE, Some((AUTO_WHITE_BALANCE, 0))),
    ("power_line", POWER_LINE_FREQUENCY, None),
];

/// The value that the configuration asks for, in the control's unit.
fn wanted(camera: &Camera, key: &str) -> Option<i64> {
    match key {
        "exposure" => camera.exposure.map(|span| (span.as_s() * 1e4).round().max(1.0) as i64),
        "gain" => camera.gain.map(i64::from),
        "focus" => camera.focus.map(i64::from),
        "white_balance" => camera.white_balance.map(i64::from),
        "power_line" => camera.power_line.map(|line| match line {
            PowerLine::Off => 0,
            PowerLine::Hz50 => 1,
            PowerLine::Hz60 => 2,
        }),
        _ => None,
    }
}

/// A control's value for people, in the unit of the configuration.
fn told(key: &str, value: i64) -> String {
    match (key, value) {
        ("exposure", _) => Span::s(value as f64 * 1e-4).to_string(),
        ("white_balance", _) => format!("{value} K"),
        ("power_line", 0) => "off".to_owned(),
        ("power_line", 1) => "50hz".to_owned(),
        ("power_line", 2) => "60hz".to_owned(),
        _ => value.to_string(),
    }
}

fn number(value: &Value) -> Option<i64> {
    match value {
        Value::Integer(number) => Some(*number),
        Value::Boolean(on) => Some(i64::from(*on)),
        _ => None,
    }
}

fn read(device: &Device, id: Id) -> Option<i64> {
    device.control(id).ok().and_then(|control| number(&control.value))
}

fn set(device: &Device, id: Id, value: i64) -> std::io::Result<()> {
    device.set_control(Control { id, value: Value::Integer(value) })
}

/// Sets what the configuration asks for. Tells each setting that the camera does not have or took otherwise.
pub(super) fn apply(device: &Device, camera: &Camera) -> Vec<String> {
    let mut differences = Vec::new();
    for (key, id, automatic) in KNOWN {
        let Some(wanted) = wanted(camera, key) else { continue };
        if let Some((id, manual)) = automatic
            && read(device, id).is_some_and(|is| is != manual)
            && let Err(error) = set(device, id, manual)
        {
            differences.push(format!("camera.{key}: the camera's automatic cannot be switched off: {error}"));
        }
        let result = set(device, id, wanted);
        match (result, read(device, id)) {
            (_, None) => differences.push(format!("camera.{key}: this camera has no such setting")),
            (_, Some(is)) if is == wanted => {}
            (Err(error), Some(is)) => differences.push(format!(
                "camera.{key}: the camera refused {} and keeps {}: {error}",
                told(key, wanted),
                told(key, is)
            )),
            (Ok(()), Some(is)) => differences.push(format!(
                "camera.{key}: asked for {}, the camera took {}",
                told(key, wanted),
                told(key, is)
            )),
        }
    }
    differences
}

/// The settings that this camera has, with their present values: `exposure 2ms`.
pub(super) fn present(device: &Device) -> Vec<String> {
    let of = |(key, id, automatic): Known| {
        let value = read(device, id)?;
        let by_itself = automatic.is_some_and(|(id, manual)| read(device, id).is_some_and(|is| is != manual));
        Some(format!("{key} {}{}", told(key, value), if by_itself { " (automatic)" } else { "" }))
    };
    let slows = read(device, EXPOSURE_AUTO_PRIORITY) == Some(1);
    let slows = slows.then(|| "exposure_dynamic_framerate on".to_owned());
    KNOWN.into_iter().filter_map(of).chain(slows).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_turned_into_the_kernels_units_and_back() {
        let camera = Camera {
            exposure: Some(Span::ms(2.0)),
            white_balance: Some(5000),
            power_line: Some(PowerLine::Hz60),
            ..Camera::default()
        };
        let values = KNOWN.map(|(key, ..)| wanted(&camera, key).map(|value| told(key, value)));
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(values, [text("2ms"), None, None, text("5000 K"), text("60hz")]);
        let shortest = Camera { exposure: Some(Span::ms(0.01)), ..camera };
        assert_eq!(wanted(&shortest, "exposure"), Some(1), "an exposure of none would mean nothing");
    }
}
