//! The outputs to the PLC on GPIO lines.
//!
//! Sets only what has changed. At the end every output is off, and `line_stop` is on: a line without castgate is to stand. After
//! that the kernel releases the lines, and the wiring alone says what the PLC sees.

use super::{GateError, Outputs, Signals};
use crate::config;
use crate::config::{Level, Pin};
use crate::gpio::{Named, OutputLine};

/// Sets the level of a line.
type Set = Box<dyn FnMut(bool) -> Result<(), GateError> + Send>;

/// One output.
struct Output {
    /// What it shows.
    of: fn(&Signals) -> bool,
    set: Set,
    active: Level,
    on: bool,
    on_at_end: bool,
}

impl Output {
    fn show(&mut self, on: bool) -> Result<(), GateError> {
        if on != self.on {
            (self.set)(on == (self.active == Level::High))?;
            self.on = on;
        }
        Ok(())
    }
}

struct Lines(Vec<Output>);

impl Outputs for Lines {
    fn show(&mut self, signals: &Signals) -> Result<(), GateError> {
        self.0.iter_mut().try_for_each(|output| output.show((output.of)(signals)))
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        for output in &mut self.0 {
            if let Err(error) = output.show(output.on_at_end) {
                log::error!("{error}; this output may not say that castgate has ended");
            }
        }
    }
}

/// Opens the outputs that are configured, all of them off; `None` when there is none.
///
/// # Errors
/// When a line is missing, in use or not permitted.
pub fn open_outputs(section: &config::Outputs) -> Result<Option<Box<dyn Outputs>>, GateError> {
    let mut open = Vec::new();
    for (key, pin, of) in table(section) {
        let Some(pin) = pin else { continue };
        let line = OutputLine::open(Named::pin(key, pin), pin.drive, pin.active == Level::Low)?;
        let set = Box::new(move |high| Ok(line.set(high)?));
        open.push(Output { of, set, active: pin.active, on: false, on_at_end: key == "outputs.line_stop" });
    }
    Ok((!open.is_empty()).then(|| Box::new(Lines(open)) as Box<dyn Outputs>))
}

type Row<'a> = (&'static str, &'a Option<Pin>, fn(&Signals) -> bool);

/// Every output: its key, its line, and what it shows.
fn table(section: &config::Outputs) -> [Row<'_>; 7] {
    [
        ("outputs.ready", &section.ready, |signals| signals.ready),
        ("outputs.busy", &section.busy, |signals| signals.busy),
        ("outputs.fault", &section.fault, |signals| signals.fault),
        ("outputs.pass", &section.pass, |signals| signals.pass),
        ("outputs.reject", &section.reject, |signals| signals.reject),
        ("outputs.line_stop", &section.line_stop, |signals| signals.line_stop),
        ("outputs.life", &section.life, |signals| signals.life),
    ]
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// What was set, in order: which line, and whether high.
    type Told = Arc<Mutex<Vec<(&'static str, bool)>>>;

    fn lines(active: Level) -> (Told, Lines) {
        let told = Told::default();
        let output = |(key, _, of): Row<'_>| {
            let told = told.clone();
            let set: Set = Box::new(move |high| {
                told.lock().unwrap().push((key, high));
                Ok(())
            });
            Output { of, set, active, on: false, on_at_end: key == "outputs.line_stop" }
        };
        (told.clone(), Lines(table(&config::Outputs::default()).map(output).into()))
    }

    #[test]
    fn only_what_changed_is_set_at_the_configured_level() {
        for (active, high) in [(Level::High, true), (Level::Low, false)] {
            let (told, mut lines) = lines(active);
            lines.show(&Signals::default()).unwrap();
            assert_eq!(*told.lock().unwrap(), [], "all are off from the request on");
            let signals = Signals { ready: true, life: true, ..Signals::default() };
            lines.show(&signals).unwrap();
            lines.show(&signals).unwrap();
            lines.show(&Signals { life: false, fault: true, ready: true, ..signals }).unwrap();
            let steps =
                [("ready", high), ("life", high), ("fault", high), ("life", !high)].map(|(key, level)| {
                    (
                        table(&config::Outputs::default()).iter().find(|row| row.0.ends_with(key)).unwrap().0,
                        level,
                    )
                });
            assert_eq!(*told.lock().unwrap(), steps);
        }
    }

    #[test]
    fn at_the_end_all_are_off_and_the_belt_is_to_stand() {
        let (told, mut lines) = lines(Level::High);
        let all = Signals {
            ready: true,
            busy: true,
            fault: true,
            pass: true,
            reject: true,
            line_stop: false,
            life: true,
        };
        lines.show(&all).unwrap();
        told.lock().unwrap().clear();
        drop(lines);
        let told = told.lock().unwrap();
        assert_eq!(told.len(), 7);
        assert!(told.iter().all(|(key, high)| *high == (*key == "outputs.line_stop")), "{told:?}");
    }
}
