//! Which keys can change while the line runs.
//!
//! The one table of them. All others are measures of the line or belong to a device that was opened with them.

use serde_json::Value;

use super::Config;

/// A key, or a section whose keys all are live, and how its value goes from one configuration to another.
struct Live {
    key: &'static str,
    take: fn(&mut Config, &Config),
}

/// Makes the table's rows: the key's path is the path of the field.
macro_rules! live {
    ($($section:ident $(.$key:ident)?,)+) => {
        &[$(Live {
            key: concat!(stringify!($section) $(, ".", stringify!($key))?),
            take: |to, from| to.$section$(.$key)?.clone_from(&from.$section$(.$key)?),
        },)+]
    };
}

const LIVE: &[Live] = live! {
    line.log_level,
    sensor.bounce,
    sensor.longest,
    sensor.shortest,
    sensor.missed,
    position.tolerance,
    position.speed_tolerance,
    camera.lost_after,
    model.threshold,
    model.unsure,
    decide.combine,
    decide.unsure,
    decide.min_looks,
    decide.margin,
    decide.stale_after,
    gate.pulse,
    gate.lead,
    gate.delay,
    gate.recovery,
    gate.max_on,
    second_gate.pulse,
    second_gate.delay,
    second_gate.max_on,
    confirm.tolerance,
    line_stop,
};

/// Whether the value at this path, such as `gate.pulse`, can change while the line runs.
pub fn is_live(key: &str) -> bool {
    let covers =
        |live: &Live| key.strip_prefix(live.key).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    LIVE.iter().any(covers)
}

/// Gives `to` the live values of `from`; everything else of it stays as it is.
pub fn take_live(to: &mut Config, from: &Config) {
    for live in LIVE {
        (live.take)(to, from);
    }
}

/// The paths of all keys whose values differ, in the order of the file.
pub fn differences(a: &Config, b: &Config) -> Vec<String> {
    let mut paths = Vec::new();
    let value = |config: &Config| serde_json::to_value(config).unwrap_or(Value::Null);
    compare(&value(a), &value(b), &mut String::new(), &mut paths);
    paths
}

fn compare(a: &Value, b: &Value, path: &mut String, paths: &mut Vec<String>) {
    let (Value::Object(before), Value::Object(after)) = (a, b) else {
        if a != b {
            paths.push(path.clone());
        }
        return;
    };
    // Both have all keys of their type.
    for (key, value) in before {
        let length = path.len();
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(key);
        compare(value, after.get(key).unwrap_or(&Value::Null), path, paths);
        path.truncate(length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Combine, Level, Unsure};
    use crate::units::{Length, Share, Span, Speed, Stretch};

    #[test]
    fn every_live_key_is_there() {
        let value = serde_json::to_value(Config::default()).unwrap();
        for Live { key, .. } in LIVE {
            let found = key.split('.').try_fold(&value, |at, name| at.get(name));
            assert!(found.is_some(), "{key}");
            assert!(is_live(key));
        }
        assert!(
            is_live("line_stop.escape")
                && !is_live("line_stops")
                && !is_live("gate")
                && !is_live("line.speed")
        );
    }

    #[test]
    fn differences_are_told_by_their_paths() {
        let (before, mut after) = (Config::default(), Config::default());
        assert_eq!(differences(&before, &after), [""; 0]);
        after.model.threshold = Some(0.3);
        after.mqtt.tls.enabled = true;
        after.line.speed = Speed::mm_per_s(400.0);
        after.inputs.reset = serde_json::from_str(r#"{"line": "RESET"}"#).unwrap();
        let mut paths = differences(&before, &after);
        paths.sort_unstable();
        assert_eq!(paths, ["inputs.reset", "line.speed", "model.threshold", "mqtt.tls.enabled"]);
        let mut pin = after.clone();
        pin.inputs.reset.as_mut().unwrap().active = Level::Low;
        assert_eq!(differences(&after, &pin), ["inputs.reset.active"]);
    }

    #[test]
    fn exactly_the_live_keys_are_taken() {
        let mut other = Config::default();
        other.line.speed = Speed::mm_per_s(400.0);
        other.gate.position = Length::mm(800.0);
        let dead = differences(&Config::default(), &other);
        other.sensor.bounce = Length::mm(1.0);
        (other.sensor.longest, other.sensor.missed) = (Share::fraction(2.0), 9);
        other.position.tolerance = Length::mm(9.0);
        other.position.speed_tolerance = Share::fraction(0.9);
        other.camera.lost_after = Span::s(9.0);
        (other.model.threshold, other.model.unsure) = (Some(0.9), Some(0.01));
        (other.decide.combine, other.decide.unsure) = (Combine::Majority, Unsure::SecondGate);
        (other.decide.min_looks, other.decide.margin) = (9, Span::ms(9.0));
        other.decide.stale_after = Span::s(9.0);
        (other.gate.pulse, other.gate.lead) = (Stretch::mm(9.0), Stretch::mm(9.0));
        (other.gate.delay, other.gate.recovery) = (Span::ms(9.0), Span::ms(9.0));
        other.gate.max_on = Some(Span::s(9.0));
        (other.second_gate.pulse, other.second_gate.delay) = (Stretch::mm(9.0), Span::ms(9.0));
        (other.second_gate.max_on, other.sensor.shortest) = (Some(Span::s(9.0)), Share::fraction(0.1));
        other.confirm.tolerance = Some(Length::mm(9.0));
        (other.line_stop.escape, other.line_stop.consecutive_rejects) = (false, 9);
        other.line.log_level = crate::config::LogLevel::Debug;
        let mut taken = Config::default();
        take_live(&mut taken, &other);
        assert_eq!(differences(&taken, &other), dead);
        let changed = differences(&Config::default(), &taken);
        assert!(changed.iter().all(|key| is_live(key)));
        let rows = LIVE.iter().filter(|live| changed.iter().any(|key| key.starts_with(live.key)));
        assert_eq!(rows.count(), LIVE.len(), "every row does something: {changed:?}");
    }
}
