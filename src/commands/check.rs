//! `castgate check`: everything that can be known of a configuration before the line starts.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::answers::{Answers, Hurdle};
use super::{ExitCode, exit, print};
use crate::album::layout::{DEFECT, OK};
use crate::config::load::{Loaded, load_or_demonstration};
use crate::config::problem::Problem;
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

/// Check a configuration and the files that it names, without starting anything
///
/// Prints every problem with its line and column, or what follows from the configuration: how long a part is in view, how many
/// looks the camera gets, how much time is left before the gate, and how fast the belt may run at most.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  castgate check --config /etc/castgate/castgate.yaml
  castgate check                                        the built-in demonstration line

Exit codes: 0 nothing is wrong, 2 the configuration is wrong, 3 the model cannot be used")]
pub(super) struct Args {
    /// Configuration file; without it, the demonstration line
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// What the probes found.
struct Findings<'a> {
    loaded: &'a Loaded,
    /// What is known, by topic.
    facts: Vec<(&'static str, String)>,
    problems: Vec<(ExitCode, Problem)>,
}

impl Findings<'_> {
    fn fact(&mut self, topic: &'static str, text: impl Into<String>) {
        self.facts.push((topic, text.into()));
    }

    /// A problem at `key`; `code` is the exit code that it leads to.
    fn problem(&mut self, code: ExitCode, key: &str, message: impl Into<String>) {
        self.problems.push((code, self.loaded.problem(key, message.into())));
    }
}

/// Looks at one side of a configuration that keeps all rules.
type Probe = fn(&Config, &mut Findings<'_>);

/// Every probe, in the order of the report.
const PROBES: &[Probe] = &[features, line, view, gate, files, model, reports, histories];

pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let loaded = load_or_demonstration(args.config.as_deref())?;
    let mut findings = Findings { loaded: &loaded, facts: Vec::new(), problems: Vec::new() };
    for probe in PROBES {
        probe(&loaded.config, &mut findings);
    }
    let Findings { facts, problems, .. } = findings;
    if let Some((first, _)) = problems.first() {
        for (_, problem) in &problems {
            exit::line(&problem.to_string());
        }
        exit::line(&format!("castgate: error: {} in {}", exit::count(problems.len()), loaded.name()));
        let usage = problems.iter().any(|(code, _)| *code == ExitCode::Usage);
        return Ok(if usage { ExitCode::Usage } else { *first });
    }
    let mut report = format!("{}: ok, fingerprint {}\n", loaded.name(), loaded.fingerprint);
    for (topic, fact) in facts {
        report.push_str(&format!("  {topic:<6} {fact}\n"));
    }
    print(&report)?;
    Ok(ExitCode::Ok)
}

/// Whether this build can do what is asked for.
fn features(config: &Config, findings: &mut Findings<'_>) {
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
            findings.problem(ExitCode::Usage, key, format!("this build has no `{feature}` feature"));
        }
    }
}

fn line(config: &Config, findings: &mut Findings<'_>) {
    let (line, timing) = (&config.line, Timing::of(config));
    findings.fact(
        "line",
        format!(
            "`{}` at {}, parts of {} at least {} apart: up to {:.1} parts a second",
            line.name, line.speed, line.part_length, line.min_pitch, timing.parts_per_second
        ),
    );
}

fn view(config: &Config, findings: &mut Findings<'_>) {
    let timing = Timing::of(config);
    let rate = config.camera.rate;
    if config.decide.trigger == Trigger::EveryFrame {
        findings.fact("view", format!("every frame is a part: up to {rate}"));
        let full = config.camera.kind == CameraKind::Folder && config.camera.pace == Pace::Full;
        let flight = (gone_at(config) - timing.view_middle) / config.line.speed.as_mm_per_s();
        let (most, holds) = ((rate.as_per_s() * flight).ceil(), config.decide.max_parts);
        if !full && most > f64::from(holds) {
            findings.fact(
                "note",
                format!(
                    "at {rate} up to {most} parts are between camera and gate, and the ledger holds {holds} (`decide.max_parts`): the others are \
                     rejected as queue_full"
                ),
            );
        }
        return;
    }
    findings.fact(
        "view",
        format!(
            "{} of belt; a part is wholly in view for {}: {:.1} looks at {rate}",
            length(timing.view),
            time(timing.time_in_view),
            timing.looks
        ),
    );
}

fn gate(config: &Config, findings: &mut Findings<'_>) {
    let timing = Timing::of(config);
    if config.decide.trigger == Trigger::EveryFrame && timing.slack < 0.0 {
        findings
            .fact("gate", "pictures of single parts: no belt brings them to the gate, so no time is kept");
        return;
    }
    let (gate, decide) = (&config.gate, &config.decide);
    findings.fact(
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
    findings.fact(
        "gate",
        format!(
            "up to {} parts between trigger and confirmation; the ledger holds {}",
            timing.parts_in_flight, decide.max_parts
        ),
    );
    let spare = timing.looks - looks_needed(config);
    if decide.trigger != Trigger::EveryFrame && spare < 1.0 {
        findings.fact(
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
        findings.fact("speed", format!("at most {}; {why}", speed(greatest)));
    }
}

fn files(config: &Config, findings: &mut Findings<'_>) {
    if config.camera.kind == CameraKind::Folder
        && let Some(path) = &config.camera.path
    {
        folder(path, &[], "camera.path", findings);
    }
    if config.camera.kind == CameraKind::Simulated
        && let Some(path) = &config.simulation.parts_from
    {
        folder(path, &[OK, DEFECT], "simulation.parts_from", findings);
    }
    if config.position_source() == PositionSource::Encoder
        && config.position.encoder == EncoderKind::Sysfs
        && let Some(path) = &config.position.path
    {
        match sensor::check_counter(path) {
            Ok(()) => findings.fact("file", format!("{} (position.path) holds a count", path.display())),
            Err(SensorError { what, .. }) => {
                findings.problem(ExitCode::Usage, "position.path", format!("{}: {what}", path.display()));
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
        findings.fact("note", note);
    }
    if !config.mqtt.enabled {
        return;
    }
    let mqtt = &config.mqtt;
    if let Some(path) = &mqtt.password_file
        && let Some(text) = file(path, "mqtt.password_file", findings)
    {
        if text.trim_ascii().is_empty() {
            findings.problem(ExitCode::Usage, "mqtt.password_file", format!("{} is empty", path.display()));
        }
        if fs::metadata(path).is_ok_and(|file| file.mode() & 0o004 != 0) {
            findings.fact(
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
            && let Some(text) = file(path, key, findings)
            && !String::from_utf8_lossy(&text).contains("-----BEGIN ")
        {
            let message = format!("{} is no PEM file: it has no `-----BEGIN` line", path.display());
            findings.problem(ExitCode::Usage, key, message);
        }
    }
}

/// Loads the model as the line would, warm-up included.
fn model(config: &Config, findings: &mut Findings<'_>) {
    match model::open(&config.model.path) {
        Ok(mut model) => {
            if config.follows_belt() {
                deadline(config, model.as_mut(), findings);
            }
            let info = model.info();
            findings.fact(
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
        Err(error) => findings.problem(ExitCode::Device, "model.path", error.to_string()),
    }
}

/// Whether the model answers in time.
fn deadline(config: &Config, model: &mut dyn Classifier, findings: &mut Findings<'_>) {
    let answers = Answers::of(config, model);
    for Hurdle { key, what } in answers.hurdles(config) {
        findings.problem(ExitCode::Usage, key, what);
    }
    if let Some(room) = answers.room(config) {
        findings.fact("model", room);
    }
}

/// What the broker's section needs beyond readable files, once these are there: certificates that fit together.
fn reports(config: &Config, findings: &mut Findings<'_>) {
    if !config.mqtt.enabled || !findings.problems.is_empty() {
        return;
    }
    match report::check(&config.mqtt, &config.line.name) {
        Ok(()) => findings.fact("mqtt", format!("reports to {}:{}", config.mqtt.host, config.mqtt.port)),
        Err(ReportError::Setting { key, what }) => findings.problem(ExitCode::Usage, key, what),
        Err(ReportError::File { key, path, what }) => {
            findings.problem(ExitCode::Usage, key, format!("{path}: {what}"));
        }
        Err(error) => findings.problem(ExitCode::Usage, "mqtt", error.to_string()),
    }
}

/// Whether histories can be written where they are wanted; also while the line runs.
fn histories(config: &Config, findings: &mut Findings<'_>) {
    if !config.store.enabled {
        return;
    }
    match store::check(&config.store) {
        Ok(found) => findings.fact("store", format!("{} {found}", config.store.path.display())),
        // Told with the features.
        Err(StoreError::NotBuilt) => {}
        // The line starts all the same, and so must the service, which asks here first.
        Err(error) if error.may_pass() => findings.fact("note", histories_missing(&error)),
        Err(error) => findings.problem(ExitCode::Usage, "store.path", error.to_string()),
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
fn file(path: &Path, key: &str, findings: &mut Findings<'_>) -> Option<Vec<u8>> {
    /// Enough to see what a file is.
    const BEGINNING: u64 = 1 << 16;
    match regular::beginning(path, BEGINNING) {
        Ok(beginning) => {
            findings.fact("file", format!("{} ({key}) is readable", path.display()));
            Some(beginning)
        }
        Err(error) => {
            findings.problem(ExitCode::Usage, key, format!("cannot read {}: {error}", path.display()));
            None
        }
    }
}

/// A folder that must be readable and have certain folders in it.
fn folder(path: &Path, wanted: &[&str], key: &str, findings: &mut Findings<'_>) {
    let within = wanted.iter().map(|name| path.join(name));
    let mut complete = true;
    for folder in std::iter::once(path.to_owned()).chain(within) {
        if let Err(error) = fs::read_dir(&folder) {
            findings.problem(
                ExitCode::Usage,
                key,
                format!("cannot read the folder {}: {error}", folder.display()),
            );
            complete = false;
            break;
        }
    }
    if complete {
        findings.fact("folder", format!("{} ({key}) is readable", path.display()));
    }
}
