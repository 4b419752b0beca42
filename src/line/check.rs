//! Everything that can be known of a configuration before the line starts.
//!
//! Looks at files, the model and the store. Must not move or start anything, nor know who asks.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::answers::{Answers, Hurdle};
use crate::album::layout::{DEFECT, OK};
use crate::config::load::Loaded;
use crate::config::timing::{Timing, gone_at, length, looks_needed, speed, time};
use crate::config::{
    CameraKind, Config, ConfirmKind, EncoderKind, GateKind, Inputs, Pace, Pin, PositionSource, SensorKind,
    Trigger,
};
use crate::model::{self, Classifier};
use crate::regular;
use crate::report::{self, ReportError};
use crate::sensor::{self, SensorError};
use crate::store::{self, Fault, StoreError};
use crate::strict::problem::Problem;

/// What must change so that a problem is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amiss {
    /// The configuration, or a file that it names.
    Configuration,
    /// The model.
    Model,
}

/// What a check found.
#[derive(Debug, Default)]
pub struct Findings {
    /// What is known, by topic, in the order of a report.
    pub facts: Vec<(&'static str, String)>,
    /// What is wrong, each at its key; the line would not start. Empty when all is well.
    pub problems: Vec<(Amiss, Problem)>,
}

/// A check under way.
struct Probing<'a> {
    loaded: &'a Loaded,
    found: Findings,
}

impl Probing<'_> {
    fn fact(&mut self, topic: &'static str, text: impl Into<String>) {
        self.found.facts.push((topic, text.into()));
    }

    /// A problem at `key`.
    fn problem(&mut self, amiss: Amiss, key: &str, message: impl Into<String>) {
        self.found.problems.push((amiss, self.loaded.problem(key, message.into())));
    }
}

/// Looks at one side of a configuration that keeps all rules.
type Probe = fn(&Config, &mut Probing<'_>);

/// Every probe, in the order of the report.
const PROBES: &[Probe] = &[features, line, view, gate, files, model, reports, histories];

/// Everything that can be known of `loaded` before the line starts. Loads and measures the model; moves and starts nothing.
pub fn check(loaded: &Loaded) -> Findings {
    let mut probing = Probing { loaded, found: Findings::default() };
    for probe in PROBES {
        probe(&loaded.config, &mut probing);
    }
    probing.found
}

/// Whether this build can do what is asked for.
fn features(config: &Config, probing: &mut Probing<'_>) {
    let gpio = cfg!(feature = "gpio");
    let encoder = config.position_source() == PositionSource::Encoder;
    let output = |(key, pin): &(&str, &Option<Pin>)| key.starts_with("outputs.") && pin.is_some();
    for (asked, built, feature, key) in [
        (config.gate.kind == GateKind::Gpiochip, gpio, "gpio", "gate.kind"),
        (config.sensor.kind == SensorKind::Gpiochip, gpio, "gpio", "sensor.kind"),
        (config.confirm.kind == ConfirmKind::Gpiochip, gpio, "gpio", "confirm.kind"),
        (encoder && config.position.encoder == EncoderKind::Gpiochip, gpio, "gpio", "position.encoder"),
        (config.inputs != Inputs::default(), gpio, "gpio", "inputs"),
        (config.pins().iter().any(output), gpio, "gpio", "outputs"),
        (config.mqtt.enabled, cfg!(feature = "mqtt"), "mqtt", "mqtt.enabled"),
        (config.store.enabled, cfg!(feature = "store"), "store", "store.enabled"),
    ] {
        if asked && !built {
            probing.problem(Amiss::Configuration, key, format!("this build has no `{feature}` feature"));
        }
    }
}

fn line(config: &Config, probing: &mut Probing<'_>) {
    let (line, timing) = (&config.line, Timing::of(config));
    probing.fact(
        "line",
        format!(
            "`{}` at {}, parts of {} at least {} apart: up to {:.1} parts a second",
            line.name, line.speed, line.part_length, line.min_pitch, timing.parts_per_second
        ),
    );
}

fn view(config: &Config, probing: &mut Probing<'_>) {
    let timing = Timing::of(config);
    let rate = config.camera.rate;
    if config.decide.trigger == Trigger::EveryFrame {
        probing.fact("view", format!("every frame is a part: up to {rate}"));
        let full = config.camera.kind == CameraKind::Folder && config.camera.pace == Pace::Full;
        let flight = (gone_at(config) - timing.view_middle) / config.line.speed.as_mm_per_s();
        let (most, holds) = ((rate.as_per_s() * flight).ceil(), config.decide.max_parts);
        if !full && most > f64::from(holds) {
            probing.fact(
                "note",
                format!(
                    "at {rate} up to {most} parts are between camera and gate, and the ledger holds {holds} (`decide.max_parts`): the others are \
                     rejected as queue_full"
                ),
            );
        }
        return;
    }
    probing.fact(
        "view",
        format!(
            "{} of belt; a part is wholly in view for {}: {:.1} looks at {rate}",
            length(timing.view),
            time(timing.time_in_view),
            timing.looks
        ),
    );
}

fn gate(config: &Config, probing: &mut Probing<'_>) {
    let timing = Timing::of(config);
    if config.decide.trigger == Trigger::EveryFrame && timing.slack < 0.0 {
        probing.fact("gate", "pictures of single parts: no belt brings them to the gate, so no time is kept");
        return;
    }
    let (gate, decide) = (&config.gate, &config.decide);
    probing.fact(
        "gate",
        format!(
            "out of whole view at {}, reject from {} on: ({} - {}) / {} - {} - {} = {} of slack",
            length(timing.leaves_view),
            length(timing.reject_from),
            length(timing.reject_from),
            length(timing.leaves_view),
            config.line.speed,
            gate.delay,
            decide.margin,
            time(timing.slack)
        ),
    );
    probing.fact(
        "gate",
        format!(
            "up to {} parts between trigger and confirmation; the ledger holds {}",
            timing.parts_in_flight, decide.max_parts
        ),
    );
    let spare = timing.looks - looks_needed(config);
    if decide.trigger != Trigger::EveryFrame && spare < 1.0 {
        probing.fact(
            "note",
            format!(
                "a part is seen {:.1} times and needs {} looks: one frame that is lost rejects a good part",
                timing.looks,
                looks_needed(config)
            ),
        );
    }
    let greatest = timing.greatest_speed();
    if decide.trigger != Trigger::EveryFrame && greatest.is_finite() {
        let by_view = timing.greatest_speed_for_look <= timing.greatest_speed_for_gate;
        let why = if by_view {
            format!("then a part is seen just {} times", looks_needed(config))
        } else {
            "then no slack is left before the gate".to_owned()
        };
        probing.fact("speed", format!("at most {}; {why}", speed(greatest)));
    }
}

fn files(config: &Config, probing: &mut Probing<'_>) {
    if config.camera.kind == CameraKind::Folder
        && let Some(path) = &config.camera.path
    {
        folder(path, &[], "camera.path", probing);
    }
    if config.camera.kind == CameraKind::Simulated
        && let Some(path) = &config.simulation.parts_from
    {
        folder(path, &[OK, DEFECT], "simulation.parts_from", probing);
    }
    if config.position_source() == PositionSource::Encoder
        && config.position.encoder == EncoderKind::Sysfs
        && let Some(path) = &config.position.path
    {
        match sensor::check_counter(path) {
            Ok(()) => probing.fact("file", format!("{} (position.path) holds a count", path.display())),
            Err(SensorError { what, .. }) => {
                probing.problem(Amiss::Configuration, "position.path", format!("{}: {what}", path.display()));
            }
        }
    }
    if let Some(socket) = &config.commands.socket
        && let Some(holder) =
            socket.parent().filter(|holder| !holder.as_os_str().is_empty() && !holder.is_dir())
    {
        // A service's folder is made with its start.
        let note = format!(
            "there is no folder {} for `commands.socket`; it must be there at the start",
            holder.display()
        );
        probing.fact("note", note);
    }
    if !config.mqtt.enabled {
        return;
    }
    let mqtt = &config.mqtt;
    if let Some(path) = &mqtt.password_file
        && let Some(text) = file(path, "mqtt.password_file", probing)
    {
        if text.trim_ascii().is_empty() {
            probing.problem(
                Amiss::Configuration,
                "mqtt.password_file",
                format!("{} is empty", path.display()),
            );
        }
        if fs::metadata(path).is_ok_and(|file| file.mode() & 0o004 != 0) {
            probing.fact(
                "note",
                format!("everybody on this machine can read {}; chmod 600 keeps it secret", path.display()),
            );
        }
    }
    if !mqtt.tls.enabled {
        return;
    }
    for (path, key) in [
        (&mqtt.tls.ca_file, "mqtt.tls.ca_file"),
        (&mqtt.tls.cert_file, "mqtt.tls.cert_file"),
        (&mqtt.tls.key_file, "mqtt.tls.key_file"),
    ] {
        if let Some(path) = path
            && let Some(text) = file(path, key, probing)
            && !String::from_utf8_lossy(&text).contains("-----BEGIN ")
        {
            let message = format!("{} is no PEM file: it has no `-----BEGIN` line", path.display());
            probing.problem(Amiss::Configuration, key, message);
        }
    }
}

/// Loads the model as the line would, warm-up included.
fn model(config: &Config, probing: &mut Probing<'_>) {
    match model::open(&config.model.path) {
        Ok(mut model) => {
            if config.follows_belt() {
                deadline(config, model.as_mut(), probing);
            }
            let info = model.info();
            probing.fact(
                "model",
                format!(
                    "{}@{}: {} parameters, {:.1} million multiply-adds",
                    info.name,
                    info.id,
                    info.parameters,
                    info.multiply_adds as f64 / 1e6
                ),
            );
        }
        Err(error) => probing.problem(Amiss::Model, "model.path", error.to_string()),
    }
}

/// Whether the model answers in time.
fn deadline(config: &Config, model: &mut dyn Classifier, probing: &mut Probing<'_>) {
    let answers = Answers::of(config, model);
    for Hurdle { key, what } in answers.hurdles(config) {
        probing.problem(Amiss::Configuration, key, what);
    }
    if let Some(room) = answers.room(config) {
        probing.fact("model", room);
    }
}

/// What the broker's section needs beyond readable files, once these are there: certificates that fit together.
fn reports(config: &Config, probing: &mut Probing<'_>) {
    if !config.mqtt.enabled || !probing.found.problems.is_empty() {
        return;
    }
    match report::check(&config.mqtt, &config.line.name) {
        Ok(()) => probing.fact("mqtt", format!("reports to {}:{}", config.mqtt.host, config.mqtt.port)),
        Err(ReportError::Setting { key, what }) => probing.problem(Amiss::Configuration, key, what),
        Err(ReportError::File { key, path, what }) => {
            probing.problem(Amiss::Configuration, key, format!("{path}: {what}"));
        }
        Err(error) => probing.problem(Amiss::Configuration, "mqtt", error.to_string()),
    }
}

/// Whether histories can be written where they are wanted; also while the line runs.
fn histories(config: &Config, probing: &mut Probing<'_>) {
    if !config.store.enabled {
        return;
    }
    match store::check(&config.store) {
        Ok(found) => probing.fact("store", format!("{} {found}", config.store.path.display())),
        // Told with the features.
        Err(StoreError::NotBuilt) => {}
        // The line starts all the same, and so must the service, which asks here first.
        Err(error) if error.may_pass() => probing.fact("note", histories_missing(&error)),
        Err(error) => probing.problem(Amiss::Configuration, "store.path", error.to_string()),
    }
}

/// What becomes of the line where its histories cannot be written now.
fn histories_missing(error: &StoreError) -> String {
    match error {
        StoreError::Failed { fault: Fault::Damaged, .. } => {
            format!("warning: {error}; the next start sets it aside and begins a new one, and numbers go on")
        }
        _ => format!(
            "warning: {error}; the configuration is right: the line inspects without histories until then"
        ),
    }
}

/// The beginning of a file that must be readable.
fn file(path: &Path, key: &str, probing: &mut Probing<'_>) -> Option<Vec<u8>> {
    /// Enough to see what a file is.
    const BEGINNING: u64 = 1 << 16;
    match regular::beginning(path, BEGINNING) {
        Ok(beginning) => {
            probing.fact("file", format!("{} ({key}) is readable", path.display()));
            Some(beginning)
        }
        Err(error) => {
            probing.problem(Amiss::Configuration, key, format!("cannot read {}: {error}", path.display()));
            None
        }
    }
}

/// A folder that must be readable and have certain folders in it.
fn folder(path: &Path, wanted: &[&str], key: &str, probing: &mut Probing<'_>) {
    let within = wanted.iter().map(|name| path.join(name));
    let mut complete = true;
    for folder in std::iter::once(path.to_owned()).chain(within) {
        if let Err(error) = fs::read_dir(&folder) {
            probing.problem(
                Amiss::Configuration,
                key,
                format!("cannot read the folder {}: {error}", folder.display()),
            );
            complete = false;
            break;
        }
    }
    if complete {
        probing.fact("folder", format!("{} ({key}) is readable", path.display()));
    }
}
