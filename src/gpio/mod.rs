//! Lines of GPIO character devices: found by the names that people give them, driven as outputs, watched as inputs.
//!
//! The only home of gpiocdev. Knows chips, offsets and levels; must not know what a line is for. A build without the feature
//! `gpio` has the same types, which cannot be opened.

#[cfg(feature = "gpio")]
mod find;
#[cfg(feature = "gpio")]
mod inputs;
#[cfg(not(feature = "gpio"))]
mod off;
#[cfg(feature = "gpio")]
mod output;

use std::time::Duration;

use crate::clock::Time;
use crate::config::{Bias, Level, Pin};

#[cfg(feature = "gpio")]
pub(crate) use inputs::InputLines;
#[cfg(not(feature = "gpio"))]
pub(crate) use off::{InputLines, OutputLine};
#[cfg(feature = "gpio")]
pub(crate) use output::OutputLine;

/// What `gpioinfo` shows as the user of a line.
#[cfg(feature = "gpio")]
const CONSUMER: &str = "castgate";

/// A line cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LineError {
    /// The key of the configuration and, where they are known, chip and line.
    pub(crate) device: String,
    /// What failed.
    pub(crate) what: String,
    /// What to do.
    pub(crate) remedy: &'static str,
}

/// A line as the configuration names it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Named<'a> {
    /// Path of the section in which `chip` and `line` stand: `gate`, `sensor.pin`.
    pub(crate) key: &'a str,
    /// Path, name or label of the chip.
    pub(crate) chip: Option<&'a str>,
    /// The line's name, or its offset on the chip.
    pub(crate) line: Option<&'a str>,
}

impl<'a> Named<'a> {
    /// The line of the section `key`.
    pub(crate) fn pin(key: &'a str, pin: &'a Pin) -> Self {
        Self { key, chip: pin.chip.as_deref(), line: pin.line.as_deref() }
    }
}

/// Which changes of an input are watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Edges {
    /// From off to on.
    Leading,
    /// Both.
    Both,
}

/// An input that is wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// Where it is.
    pub(crate) named: Named<'a>,
    /// Level at which it is on.
    pub(crate) active: Level,
    /// Resistor.
    pub(crate) bias: Bias,
    /// Time for which it must be steady; zero for none.
    pub(crate) debounce: Duration,
    /// Which changes are watched.
    pub(crate) edges: Edges,
}

impl<'a> Wanted<'a> {
    /// The input `pin` of the section `key`.
    pub(crate) fn pin(key: &'a str, pin: &'a Pin, edges: Edges) -> Self {
        let debounce = pin.debounce.map_or(Duration::ZERO, |span| span.duration());
        Self { named: Named::pin(key, pin), active: pin.active, bias: pin.bias, debounce, edges }
    }
}

/// A change of an input, as the kernel saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Edge {
    /// Which of the wanted inputs, counted from 0.
    pub(crate) line: usize,
    /// Whether it is on now.
    pub(crate) on: bool,
    /// When, by the kernel's stamp; after the debounce time where there is one.
    pub(crate) at: Time,
    /// Changes of this line since the one before that the kernel had no room to keep.
    pub(crate) missed: u32,
}
