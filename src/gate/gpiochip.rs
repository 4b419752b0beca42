//! A gate on one line of a GPIO character device.
//!
//! The only file that names gpiocdev. Holds the line for life, with the consumer label `castgate`; the request itself
//! puts it into its safe position, so that no other level comes in between. What the line does once the process is gone
//! is up to the kernel and the wiring.

use std::path::{Path, PathBuf};

use gpiocdev::chip::{Chip, chips};
use gpiocdev::line::{Offset, Value};
use gpiocdev::{Error, Request};

use super::{Gate, GateError, GateState};
use crate::clock::Time;
use crate::config;
use crate::config::Level;

/// What `gpioinfo` shows as the user of the line.
const CONSUMER: &str = "castgate";

const SEE_LINE: &str = "correct gate.line; `gpioinfo` lists all lines";
const SEE_CHIP: &str = "correct gate.chip; `gpiodetect` lists all chips";

struct Gpiochip {
    request: Request,
    offset: Offset,
    reject_level: Level,
    /// Chip and line, for messages.
    device: String,
}

/// The value of the line that puts the gate into `state`.
fn value(state: GateState, reject_level: Level) -> Value {
    match (state, reject_level) {
        (GateState::Reject, Level::High) | (GateState::Pass, Level::Low) => Value::Active,
        (GateState::Reject, Level::Low) | (GateState::Pass, Level::High) => Value::Inactive,
    }
}

impl Gate for Gpiochip {
    fn set(&mut self, state: GateState, _: Time) -> Result<(), GateError> {
        let failed = |error| fail(&self.device, &error, "the chip is gone or has failed: look at `dmesg`");
        self.request.set_value(self.offset, value(state, self.reject_level)).map_err(failed)
    }
}

/// Requests the line of the `gate` section as an output in its safe position.
///
/// # Errors
/// When chip or line are missing, ambiguous, in use or not permitted.
pub(super) fn open(section: &config::Gate) -> Result<Box<dyn Gate>, GateError> {
    let (chip, offset) = find(section.chip.as_deref(), section.line.as_deref())?;
    let device = format!("{} line {offset}", chip.name());
    let request = Request::builder()
        .on_chip(chip.path())
        .with_consumer(CONSUMER)
        .with_line(offset)
        .as_output(value(section.safe, section.reject_level))
        .request()
        .map_err(|error| refused(&chip, offset, &device, &error))?;
    Ok(Box::new(Gpiochip { request, offset, reject_level: section.reject_level, device }))
}

fn error(device: &str, what: impl Into<String>, remedy: &'static str) -> GateError {
    GateError { device: device.to_owned(), what: what.into(), remedy }
}

/// Puts a library error into words; `remedy` is for everything but a missing permission.
fn fail(device: &str, cause: &Error, remedy: &'static str) -> GateError {
    let text = cause.to_string();
    if let Error::Os(errno) = cause {
        let os = std::io::Error::from_raw_os_error(errno.0);
        if os.kind() == std::io::ErrorKind::PermissionDenied {
            return error(device, os.to_string(), "add the user that runs castgate to the group `gpio`");
        }
    }
    error(device, text.trim_end_matches('.'), remedy)
}

/// Why a request that should have succeeded was refused: mostly because somebody else holds the line.
fn refused(chip: &Chip, offset: Offset, device: &str, cause: &Error) -> GateError {
    match chip.line_info(offset) {
        Ok(info) if info.used => {
            let user = if info.consumer.is_empty() { "the kernel" } else { &info.consumer };
            error(device, format!("is in use by `{user}`"), "stop that, or choose another line in gate.line")
        }
        _ => fail(device, cause, "this line may not be able to drive an output: choose another in gate.line"),
    }
}

fn find(chip: Option<&str>, line: Option<&str>) -> Result<(Chip, Offset), GateError> {
    let Some(line) = line.filter(|line| !line.is_empty()) else {
        return Err(error(
            "gpiochip",
            "gate.line is not given",
            "give the line's name or its offset on gate.chip",
        ));
    };
    let offset = line.parse::<Offset>().ok();
    match (chip, offset) {
        (Some(chip), Some(offset)) => {
            let chip = open_chip(chip)?;
            let lines = chip.info().map_err(|cause| fail(&chip.name(), &cause, SEE_CHIP))?.num_lines;
            if offset >= lines {
                let what = format!("has no line {offset}: it has {lines}, numbered from 0");
                return Err(error(&chip.name(), what, SEE_LINE));
            }
            Ok((chip, offset))
        }
        (Some(chip), None) => {
            let chip = open_chip(chip)?;
            let info = chip.find_line_info(line);
            let missing = || error(&chip.name(), format!("has no line named `{line}`"), SEE_LINE);
            let offset = info.ok_or_else(missing)?.offset;
            Ok((chip, offset))
        }
        (None, Some(offset)) => Err(error(
            &format!("line {offset}"),
            "gate.chip is not given",
            "an offset needs its chip: give gate.chip, or the line's name in gate.line",
        )),
        (None, None) => find_named(line),
    }
}

/// A chip that exists: where it is, its label where it may be read, and the number of its lines.
struct Listed {
    path: PathBuf,
    name: String,
    info: Result<(String, u32), Error>,
}

fn list() -> Vec<Listed> {
    let describe = |path: PathBuf| {
        let info = Chip::from_path(&path).and_then(|chip| chip.info());
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Listed { path, name, info: info.map(|info| (info.label, info.num_lines)) }
    };
    chips().unwrap_or_default().into_iter().map(describe).collect()
}

/// The chips that exist, for people.
fn inventory(list: &[Listed]) -> String {
    if list.is_empty() {
        return "this machine has no GPIO chip".to_owned();
    }
    let describe = |chip: &Listed| match &chip.info {
        Ok((label, lines)) => format!("{} ({label}, {lines} lines)", chip.name),
        Err(cause) => format!("{} ({cause})", chip.name),
    };
    format!("there are {}", list.iter().map(describe).collect::<Vec<_>>().join(", "))
}

/// Opens a chip by path, name or label.
fn open_chip(wanted: &str) -> Result<Chip, GateError> {
    let open = |path: &Path| Chip::from_path(path).map_err(|cause| fail(wanted, &cause, SEE_CHIP));
    let list = list();
    if wanted.contains('/') {
        return match std::fs::exists(wanted) {
            Ok(true) => open(Path::new(wanted)),
            _ => Err(error(wanted, format!("no such file; {}", inventory(&list)), SEE_CHIP)),
        };
    }
    if let Some(chip) = list.iter().find(|chip| chip.name == wanted) {
        return open(&chip.path);
    }
    let labelled = |chip: &&Listed| chip.info.as_ref().is_ok_and(|(label, _)| label == wanted);
    let found: Vec<&Listed> = list.iter().filter(labelled).collect();
    match found.as_slice() {
        [chip] => open(&chip.path),
        [] => match list.iter().find_map(|chip| chip.info.as_ref().err()) {
            Some(cause @ Error::Os(_)) => Err(fail(wanted, cause, SEE_CHIP)),
            _ => Err(error(wanted, format!("no such chip; {}", inventory(&list)), SEE_CHIP)),
        },
        several => {
            let names: Vec<&str> = several.iter().map(|chip| chip.name.as_str()).collect();
            let what = format!("this label is that of several chips: {}", names.join(", "));
            Err(error(wanted, what, "give the chip's path in gate.chip"))
        }
    }
}

/// Finds a line by its name over all chips.
fn find_named(line: &str) -> Result<(Chip, Offset), GateError> {
    let list = list();
    let mut found = Vec::new();
    let mut closed = None;
    for listed in &list {
        match Chip::from_path(&listed.path) {
            Ok(chip) => found.extend(chip.find_line_info(line).map(|info| (chip, info.offset))),
            Err(cause) => closed = Some(cause),
        }
    }
    let device = format!("line `{line}`");
    if found.len() > 1 {
        let names: Vec<String> = found.iter().map(|(chip, _)| chip.name()).collect();
        let what = format!("several chips have a line of this name: {}", names.join(", "));
        return Err(error(&device, what, "give the chip too, in gate.chip"));
    }
    match (found.pop(), closed) {
        (Some(found), _) => Ok(found),
        (None, Some(cause)) => Err(fail(&device, &cause, SEE_LINE)),
        (None, None) => Err(error(&device, format!("no chip has it; {}", inventory(&list)), SEE_LINE)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reject_gives_the_configured_level_and_pass_the_other() {
        assert_eq!(value(GateState::Reject, Level::High), Value::Active);
        assert_eq!(value(GateState::Pass, Level::High), Value::Inactive);
        assert_eq!(value(GateState::Reject, Level::Low), Value::Inactive);
        assert_eq!(value(GateState::Pass, Level::Low), Value::Active);
    }

    fn problem(chip: Option<&str>, line: Option<&str>) -> String {
        let section = config::Gate {
            chip: chip.map(str::to_owned),
            line: line.map(str::to_owned),
            ..config::Gate::default()
        };
        open(&section).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn what_is_missing_is_named_with_what_to_do() {
        for (chip, line, beginning) in [
            (None, None, "gate gpiochip: gate.line is not given; give the line's name"),
            (None, Some("17"), "gate line 17: gate.chip is not given; an offset needs its chip"),
            (Some("no-such-chip"), Some("1"), "gate no-such-chip: no such chip; th"),
            (Some("/dev/no-such-chip"), Some("1"), "gate /dev/no-such-chip: no such file; th"),
            (None, Some("NO_SUCH_LINE"), "gate line `NO_SUCH_LINE`: no chip has it; th"),
            (
                Some("/dev/null"),
                Some("1"),
                "gate /dev/null: \"/dev/null\" is not a GPIO character device; correct",
            ),
            (Some("/"), Some("1"), "gate /: \"/\" is not a character device; correct gate.chip"),
        ] {
            let problem = problem(chip, line);
            assert!(problem.starts_with(beginning), "{problem}");
        }
    }

    #[test]
    fn a_missing_permission_names_the_group() {
        let cause = Error::from(std::io::Error::from_raw_os_error(13));
        let text = fail("gpiochip0", &cause, SEE_CHIP).to_string();
        assert_eq!(
            text,
            "gate gpiochip0: Permission denied (os error 13); add the user that runs castgate to the group `gpio`"
        );
    }
}
