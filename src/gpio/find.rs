//! Finding chips and lines by what people call them, and saying why one cannot be used.

use std::path::{Path, PathBuf};

use gpiocdev::Error;
use gpiocdev::chip::{Chip, chips};
use gpiocdev::line::Offset;
use rustix::io::Errno;

use super::{LineError, Named};

const SEE_LINES: &str = "`gpioinfo` lists all lines";
const SEE_CHIPS: &str = "`gpiodetect` lists all chips";

/// A line that exists.
pub(super) struct Found {
    pub(super) chip: Chip,
    pub(super) offset: Offset,
    /// Key, chip and line, for messages: `gate (gpiochip0 line 17)`.
    pub(super) device: String,
}

pub(super) fn error(device: &str, what: impl Into<String>, remedy: &'static str) -> LineError {
    LineError { device: device.to_owned(), what: what.into(), remedy }
}

/// Whether `cause` is this error of the system.
pub(super) fn is(cause: &Error, errno: Errno) -> bool {
    match cause {
        Error::Os(number) => number.0 == errno.raw_os_error(),
        // The library does not export the type in here; it prints as the system's own error does.
        Error::Uapi(_, inner) => inner.to_string() == std::io::Error::from(errno).to_string(),
        _ => false,
    }
}

/// Puts a library error into words; `remedy` is for everything but a missing permission.
pub(super) fn fail(device: &str, cause: &Error, remedy: &'static str) -> LineError {
    for denied in [Errno::ACCESS, Errno::PERM] {
        if is(cause, denied) {
            let what = std::io::Error::from(denied).to_string();
            return error(device, what, "add the user that runs castgate to the group `gpio`");
        }
    }
    error(device, cause.to_string().trim_end_matches('.'), remedy)
}

/// Puts the failure of a line that was in use already into words.
pub(super) fn gone(device: &str, cause: &Error) -> LineError {
    let remedy = "look at `dmesg`, then start castgate again";
    if is(cause, Errno::NODEV) {
        return error(device, "the chip is gone", remedy);
    }
    fail(device, cause, remedy)
}

/// Who holds the line, if somebody does.
pub(super) fn holder(found: &Found) -> Option<LineError> {
    let info = found.chip.line_info(found.offset).ok().filter(|info| info.used)?;
    let user = if info.consumer.is_empty() { "the kernel" } else { &info.consumer };
    Some(error(&found.device, format!("is in use by `{user}`"), "stop that, or choose another line"))
}

/// Finds the line.
///
/// # Errors
/// When chip or line are not given, missing, ambiguous or not permitted.
pub(super) fn find(named: Named<'_>) -> Result<Found, LineError> {
    let key = |name: &str| format!("{}.{name}", named.key);
    let Some(line) = named.line.filter(|line| !line.is_empty()) else {
        return Err(error(&key("line"), "is not given", "give the line's name, or its offset on its chip"));
    };
    let (chip, offset) = match (named.chip, line.parse::<Offset>().ok()) {
        (Some(chip), Some(offset)) => {
            let chip = open_chip(&key("chip"), chip)?;
            let info = chip.info().map_err(|cause| fail(&key("chip"), &cause, SEE_CHIPS))?;
            if offset >= info.num_lines {
                let what = format!(
                    "{} has no line {offset}: it has {}, numbered from 0",
                    chip.name(),
                    info.num_lines
                );
                return Err(error(&key("line"), what, SEE_LINES));
            }
            (chip, offset)
        }
        (Some(chip), None) => {
            let chip = open_chip(&key("chip"), chip)?;
            let Some(info) = chip.find_line_info(line) else {
                let what = format!("{} has no line named `{line}`", chip.name());
                return Err(error(&key("line"), what, SEE_LINES));
            };
            (chip, info.offset)
        }
        (None, Some(_)) => {
            let remedy = "an offset needs its chip: give it, or the line's name";
            return Err(error(&key("chip"), "is not given", remedy));
        }
        (None, None) => find_named(&key("line"), line)?,
    };
    let device = format!("{} ({} line {offset})", named.key, chip.name());
    Ok(Found { chip, offset, device })
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
fn open_chip(key: &str, wanted: &str) -> Result<Chip, LineError> {
    let open = |path: &Path| Chip::from_path(path).map_err(|cause| fail(key, &cause, SEE_CHIPS));
    let list = list();
    if wanted.contains('/') {
        return match std::fs::exists(wanted) {
            Ok(true) => open(Path::new(wanted)),
            _ => Err(error(key, format!("there is no {wanted}: {}", inventory(&list)), SEE_CHIPS)),
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
            Some(cause @ Error::Os(_)) => Err(fail(key, cause, SEE_CHIPS)),
            _ => Err(error(key, format!("there is no chip `{wanted}`: {}", inventory(&list)), SEE_CHIPS)),
        },
        several => {
            let names: Vec<&str> = several.iter().map(|chip| chip.name.as_str()).collect();
            let what = format!("`{wanted}` is the label of several chips: {}", names.join(", "));
            Err(error(key, what, "give the chip's path"))
        }
    }
}

/// Finds a line by its name over all chips.
fn find_named(key: &str, line: &str) -> Result<(Chip, Offset), LineError> {
    let list = list();
    let mut found = Vec::new();
    let mut closed = None;
    for listed in &list {
        match Chip::from_path(&listed.path) {
            Ok(chip) => found.extend(chip.find_line_info(line).map(|info| (chip, info.offset))),
            Err(cause) => closed = Some(cause),
        }
    }
    if found.len() > 1 {
        let names: Vec<String> = found.iter().map(|(chip, _)| chip.name()).collect();
        let what = format!("several chips have a line named `{line}`: {}", names.join(", "));
        return Err(error(key, what, "give the chip too"));
    }
    match (found.pop(), closed) {
        (Some(found), _) => Ok(found),
        (None, Some(cause)) => Err(fail(key, &cause, SEE_LINES)),
        (None, None) => {
            Err(error(key, format!("no chip has a line named `{line}`: {}", inventory(&list)), SEE_LINES))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(chip: Option<&str>, line: Option<&str>) -> String {
        let error = find(Named { key: "gate", chip, line }).err();
        error
            .map(|LineError { device, what, remedy }| format!("{device}: {what}; {remedy}"))
            .unwrap_or_default()
    }

    #[test]
    fn what_is_missing_is_named_with_what_to_do() {
        for (chip, line, beginning) in [
            (None, None, "gate.line: is not given; give the line's name"),
            (None, Some("17"), "gate.chip: is not given; an offset needs its chip"),
            (Some("no-such-chip"), Some("1"), "gate.chip: there is no chip `no-such-chip`: th"),
            (Some("/dev/no-such-chip"), Some("1"), "gate.chip: there is no /dev/no-such-chip: th"),
            (None, Some("NO_SUCH_LINE"), "gate.line: no chip has a line named `NO_SUCH_LINE`: th"),
            (Some("/dev/null"), Some("1"), "gate.chip: \"/dev/null\" is not a GPIO character device; `gpiod"),
            (Some("/"), Some("1"), "gate.chip: \"/\" is not a character device; `gpiodetect` lists"),
        ] {
            let problem = problem(chip, line);
            assert!(problem.starts_with(beginning), "{problem}");
        }
    }

    #[test]
    fn a_missing_permission_names_the_group() {
        let cause = Error::from(std::io::Error::from_raw_os_error(13));
        let error = fail("gate.chip", &cause, SEE_CHIPS);
        assert_eq!(error.what, "Permission denied (os error 13)");
        assert_eq!(error.remedy, "add the user that runs castgate to the group `gpio`");
    }

    #[test]
    fn a_chip_that_went_is_said_to_be_gone() {
        let cause = Error::from(std::io::Error::from(Errno::NODEV));
        assert_eq!(gone("gate", &cause).what, "the chip is gone");
    }
}
