//! The inputs of the line on GPIO lines: sensors, encoder and switches, all in one source so that their events come in order.
//!
//! Stamps are those of the kernel, taken in the interrupt; so it does not matter how much later they are read.

use std::time::Duration;

use super::encoder::{Encoder, Track};
use super::{Input, SensorError, SensorEvent, SensorSource};
use crate::clock::{Clock as _, SystemClock, Time};
use crate::config::{Config, ConfirmKind, EncoderKind, Pin, PositionSource, SensorKind};
use crate::gpio::{Edge, Edges, InputLines, LineError, Wanted};

/// Longest wait for an edge: the line's stop is noticed in between, and a reading of the encoder handed on.
const WAIT: Duration = Duration::from_millis(5);
/// An edge is told when it is so old. Each line's edges are handed over by a thread of the kernel, and each chip's are read after the
/// other's: within this time they are put into the order in which they happened. An edge that is handed over even later comes later,
/// with its own stamp. A millisecond is long for such a thread, and nothing against the time that a part takes to the gate.
const SETTLE: Duration = Duration::from_millis(1);

/// What a line is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    PartPresent,
    SecondSensor,
    Confirm,
    Encoder(Track),
    Input(Input),
}

/// Every line that `config` makes use of: its role, the key of its section, and where it is.
fn lines(config: &Config) -> Vec<(Role, &'static str, &Pin)> {
    let Config { sensor, position, confirm, inputs, .. } = config;
    let source = config.position_source();
    let encoder = source == PositionSource::Encoder && position.encoder == EncoderKind::Gpiochip;
    let second = source == PositionSource::TwoSensors;
    let lines = [
        (Role::PartPresent, "sensor.pin", sensor.kind == SensorKind::Gpiochip, &sensor.pin),
        (Role::SecondSensor, "position.second_sensor", second, &position.second_sensor),
        (Role::Confirm, "confirm.pin", confirm.kind == ConfirmKind::Gpiochip, &confirm.pin),
        (Role::Encoder(Track::A), "position.a", encoder, &position.a),
        (Role::Encoder(Track::B), "position.b", encoder, &position.b),
        (Role::Input(Input::Running), "inputs.running", true, &inputs.running),
        (Role::Input(Input::BinFull), "inputs.bin_full", true, &inputs.bin_full),
        (Role::Input(Input::AirLow), "inputs.air_low", true, &inputs.air_low),
        (Role::Input(Input::Inhibit), "inputs.inhibit", true, &inputs.inhibit),
        (Role::Input(Input::Reset), "inputs.reset", true, &inputs.reset),
    ];
    let used = lines.into_iter().filter(|(.., used, _)| *used);
    used.filter_map(|(role, key, _, pin)| pin.as_ref().map(|pin| (role, key, pin))).collect()
}

/// All inputs of the line on GPIO lines.
struct GpioInputs {
    lines: InputLines,
    /// What each line is for, and how many of its edges were lost.
    roles: Vec<(Role, u64)>,
    encoder: Option<Encoder>,
    /// Levels at the start, until they are told.
    levels: Vec<SensorEvent>,
    /// Edges that were read and not told yet.
    edges: Vec<Edge>,
}

impl From<LineError> for SensorError {
    fn from(LineError { device, what, remedy }: LineError) -> Self {
        Self { device, what: format!("{what}; {remedy}") }
    }
}

/// Opens the lines that `config` makes use of; `None` when there is none. What an input is at the start is its first event.
///
/// # Errors
/// When a line is missing, in use, not permitted, or gives no edges.
pub(super) fn open(config: &Config, now: Time) -> Result<Option<Box<dyn SensorSource>>, SensorError> {
    let lines = lines(config);
    if lines.is_empty() {
        return Ok(None);
    }
    let two_tracks = lines.iter().any(|(role, ..)| *role == Role::Encoder(Track::B));
    let wanted = lines.iter().map(|(role, key, pin)| {
        // A track alone is half the work when only its leading edges are heard of.
        let one_track = *role == Role::Encoder(Track::A) && !two_tracks;
        Wanted::pin(key, pin, if one_track { Edges::Leading } else { Edges::Both })
    });
    let wanted: Vec<Wanted<'_>> = wanted.collect();
    let open = InputLines::open(&wanted)?;
    let (mut levels, mut tracks) = (Vec::new(), (false, false));
    for (line, (role, ..)) in lines.iter().enumerate() {
        match role {
            // A reset that is held down at the start is no edge.
            Role::Input(Input::Reset) | Role::PartPresent | Role::SecondSensor | Role::Confirm => {}
            Role::Input(input) => {
                levels.push(SensorEvent::Input { input: *input, on: open.is_on(line)?, at: now });
            }
            Role::Encoder(Track::A) => tracks.0 = open.is_on(line)?,
            Role::Encoder(Track::B) => tracks.1 = open.is_on(line)?,
        }
    }
    let encoder = lines.iter().any(|(role, ..)| *role == Role::Encoder(Track::A)).then(|| {
        if two_tracks { Encoder::of_two_tracks(tracks.0, tracks.1) } else { Encoder::of_one_track() }
    });
    let roles = lines.iter().map(|(role, ..)| (*role, 0)).collect();
    Ok(Some(Box::new(GpioInputs { lines: open, roles, encoder, levels, edges: Vec::new() })))
}

impl GpioInputs {
    fn take(&mut self, edge: Edge, events: &mut Vec<SensorEvent>) {
        let Edge { line, on, at, missed } = edge;
        let (role, lost) = &mut self.roles[line];
        if let Role::Encoder(track) = *role {
            if let Some(encoder) = &mut self.encoder {
                encoder.edge(track, on, at, missed);
                events.extend(encoder.reading_at(at));
            }
            return;
        }
        if missed > 0 && *lost == 0 {
            // Nothing more follows: belt that a healthy frame did not show is rejected, with or without an edge.
            let device = self.lines.device(line);
            log::warn!(
                "{device}: {missed} edges came faster than they could be read and are lost; later ones are counted"
            );
        }
        *lost += u64::from(missed);
        // What the belt had moved until then goes first.
        events.extend(self.encoder.as_mut().and_then(Encoder::reading));
        match *role {
            Role::PartPresent if on => events.push(SensorEvent::PartArrived { at }),
            Role::PartPresent => events.push(SensorEvent::PartLeft { at }),
            Role::SecondSensor if on => events.push(SensorEvent::SecondSensor { at }),
            Role::Confirm if on => events.push(SensorEvent::Confirmed { at }),
            Role::Input(input) => events.push(SensorEvent::Input { input, on, at }),
            Role::SecondSensor | Role::Confirm | Role::Encoder(_) => {}
        }
    }
}

impl SensorSource for GpioInputs {
    fn due(&self) -> Option<Time> {
        None
    }

    fn poll(&mut self, _: Time, events: &mut Vec<SensorEvent>) -> Result<(), SensorError> {
        events.append(&mut self.levels);
        self.lines.wait(if self.edges.is_empty() { WAIT } else { SETTLE })?;
        let until = SystemClock.now().plus_s(-SETTLE.as_secs_f64());
        self.lines.drain(&mut self.edges)?;
        self.edges.sort_by_key(|edge| edge.at);
        let ready = self.edges.partition_point(|edge| edge.at <= until);
        let mut edges = std::mem::take(&mut self.edges);
        edges.drain(..ready).for_each(|edge| self.take(edge, events));
        self.edges = edges;
        if let Some(encoder) = &mut self.encoder {
            events.extend(encoder.reading_at(until));
        }
        Ok(())
    }
}

impl Drop for GpioInputs {
    fn drop(&mut self) {
        for (line, (_, lost)) in self.roles.iter().enumerate().filter(|(_, (_, lost))| *lost > 0) {
            log::warn!("{}: {lost} edges were lost in all", self.lines.device(line));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_that_are_made_use_of_are_opened() {
        let pin: Pin = serde_json::from_str(r#"{"line": "17"}"#).unwrap();
        let all = || Some(pin.clone());
        let mut config = Config::default();
        assert!(lines(&config).is_empty());
        (config.sensor.pin, config.confirm.pin) = (all(), all());
        (config.position.a, config.position.b, config.position.second_sensor) = (all(), all(), all());
        assert!(lines(&config).is_empty(), "the simulated line has its own");
        config.inputs.bin_full = all();
        config.position.encoder = EncoderKind::Gpiochip;
        let keys = |config: &Config| lines(config).iter().map(|(_, key, _)| *key).collect::<Vec<_>>();
        assert_eq!(keys(&config), ["position.a", "position.b", "inputs.bin_full"]);
        config.position.source = PositionSource::TwoSensors;
        (config.sensor.kind, config.confirm.kind) = (SensorKind::Gpiochip, ConfirmKind::Gpiochip);
        assert_eq!(keys(&config), ["sensor.pin", "position.second_sensor", "confirm.pin", "inputs.bin_full"]);
    }

    #[test]
    fn a_line_that_is_not_there_is_told_with_its_key() {
        let mut config = Config::default();
        config.inputs.running = serde_json::from_str(r#"{"chip": "no-such-chip", "line": 3}"#).unwrap();
        let told = open(&config, Time::ZERO).err().unwrap().to_string();
        let expected = if cfg!(feature = "gpio") {
            "inputs.running.chip: there is no chip"
        } else {
            "inputs.running: this build"
        };
        assert!(told.starts_with(expected), "{told}");
    }
}
