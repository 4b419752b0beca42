//! A counter of the kernel as an encoder: a file that holds a whole number.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{SensorError, SensorEvent, SensorSource};
use crate::clock::Time;
use crate::regular;

/// Time between two readings: short against the time in which a belt at speed moves by `position.tolerance`, after which the ledger
/// takes a silent encoder for dead.
const READ_EVERY: Duration = Duration::from_millis(10);
/// Longest content: a number of 64 bits has 20 digits and a sign.
const LONGEST: usize = 64;

/// Where a counter of 32 bits goes round.
const ROUND: i128 = 1 << 32;

/// Reads the file again and again.
struct SysfsCounter {
    path: PathBuf,
    file: File,
    next: Time,
    count: Unwrapped,
}

/// The count since the first reading, over all rounds of a counter of 32 bits.
#[derive(Debug, Clone, Copy, Default)]
struct Unwrapped {
    last: Option<i128>,
    count: i64,
}

impl Unwrapped {
    fn take(&mut self, read: i128) -> i64 {
        let mut step = read - self.last.replace(read).unwrap_or(read);
        // No belt moves by two thousand million pulses between two readings: the counter went round.
        if step.abs() > ROUND / 2 && step.abs() < ROUND {
            step -= step.signum() * ROUND;
        }
        self.count = self.count.saturating_add(i64::try_from(step).unwrap_or(if step < 0 {
            i64::MIN
        } else {
            i64::MAX
        }));
        self.count
    }
}

fn error(path: &Path, what: String) -> SensorError {
    let remedy = "correct position.path: the file must hold the encoder's count as a whole number";
    SensorError { device: format!("position.path {}", path.display()), what: format!("{what}; {remedy}") }
}

/// Opens the counter and reads it once.
///
/// # Errors
/// When the file cannot be read or holds no number.
pub(super) fn open(path: &Path, now: Time) -> Result<Box<dyn SensorSource>, SensorError> {
    let file = regular::open(path).map_err(|cause| error(path, format!("cannot be opened: {cause}")))?;
    let counter = SysfsCounter { path: path.to_owned(), file, next: now, count: Unwrapped::default() };
    counter.read()?;
    Ok(Box::new(counter))
}

impl SysfsCounter {
    fn read(&self) -> Result<i128, SensorError> {
        let mut text = [0; LONGEST];
        let read = self.file.read_at(&mut text, 0);
        let length = read.map_err(|cause| error(&self.path, format!("cannot be read: {cause}")))?;
        let text = String::from_utf8_lossy(&text[..length]);
        let text = text.trim();
        text.parse().map_err(|_| error(&self.path, format!("`{}` is no count", text.escape_debug())))
    }
}

impl SensorSource for SysfsCounter {
    fn due(&self) -> Option<Time> {
        Some(self.next)
    }

    fn poll(&mut self, now: Time, events: &mut Vec<SensorEvent>) -> Result<(), SensorError> {
        if now < self.next {
            return Ok(());
        }
        self.next = now + READ_EVERY;
        let count = self.count.take(self.read()?);
        events.push(SensorEvent::Encoder { at: now, count, lost: 0 });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn t(ms: u64) -> Time {
        Time::from_nanos(ms * 1_000_000)
    }

    #[test]
    fn a_counter_that_goes_round_goes_on() {
        let counts = |reads: &[i128]| {
            let mut counter = Unwrapped::default();
            reads.iter().map(|read| counter.take(*read)).collect::<Vec<_>>()
        };
        assert_eq!(counts(&[4_294_967_290, 4, 10]), [0, 10, 16]);
        assert_eq!(counts(&[2, 4_294_967_295, 4_294_967_290, 5]), [0, -3, -8, 3]);
        assert_eq!(counts(&[-5, 7, -9]), [0, 12, -4]);
        assert_eq!(counts(&[2_147_483_600, -2_147_483_600]), [0, 96], "signed 32 bits");
        assert_eq!(counts(&[4_294_967_290, 4_294_967_300]), [0, 10], "64 bits do not go round there");
    }

    #[test]
    fn the_file_is_read_every_ten_milliseconds() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("count");
        std::fs::write(&path, "1000\n").unwrap();
        let mut counter = open(&path, t(5)).unwrap();
        let mut events = Vec::new();
        assert_eq!(counter.due(), Some(t(5)));
        counter.poll(t(5), &mut events).unwrap();
        counter.poll(t(14), &mut events).unwrap();
        std::fs::write(&path, "1007\n").unwrap();
        counter.poll(t(15), &mut events).unwrap();
        let reading = |at, count| SensorEvent::Encoder { at: t(at), count, lost: 0 };
        assert_eq!(events, [reading(5, 0), reading(15, 7)]);
        assert_eq!(counter.due(), Some(t(25)));
    }

    #[test]
    fn what_is_no_count_is_told_with_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("count");
        let told = |path: &Path| open(path, Time::ZERO).err().unwrap().to_string();
        assert!(told(&path).contains("count: cannot be opened: No such file"), "{}", told(&path));
        assert!(told(folder.path()).contains("cannot be opened: it is a folder"), "{}", told(folder.path()));
        for garbage in ["", "12 apples", "1e3", "99999999999999999999999999999999999999999999999"] {
            std::fs::write(&path, garbage).unwrap();
            let told = told(&path);
            assert!(
                told.starts_with("position.path /") && told.contains(" is no count; correct position.path"),
                "{told}"
            );
        }
        std::fs::write(&path, "5").unwrap();
        let mut counter = open(&path, Time::ZERO).unwrap();
        std::fs::write(&path, "gone").unwrap();
        assert!(counter.poll(Time::ZERO, &mut Vec::new()).is_err());
    }
}
