//! Lines that are watched: one request for each chip, edges in time order, and a count of those that the kernel lost.

use std::time::Duration;

use gpiocdev::line::{self, EdgeDetection, EdgeKind, EventClock, Offset, Value};
use gpiocdev::request::Builder;
use gpiocdev::{Error, Request};
use rustix::io::Errno;

use super::find::{Found, error, fail, find, gone, holder, is};
use super::{CONSUMER, Edge, Edges, LineError, Wanted};
use crate::clock::Time;
use crate::config::{Bias, Level};

/// Edges that the kernel keeps for a chip until they are read: the most it allows. An encoder of 10 kHz fills them in 25 ms.
const KEPT: u32 = 1024;
/// Edges that are taken from the kernel at once.
const TAKEN: usize = 64;
/// Most reads of one chip before the others have their turn.
const READS: usize = 32;

/// Inputs, held for life.
pub(crate) struct InputLines {
    chips: Vec<Watched>,
    /// For each wanted input: its chip's place, its offset, and its name for messages.
    lines: Vec<(usize, Offset, String)>,
    buffer: Vec<u64>,
}

/// The lines of one chip.
struct Watched {
    path: std::path::PathBuf,
    request: Request,
    /// Which wanted input a line is, and the number of its next edge.
    lines: Vec<(Offset, usize, Numbers)>,
}

/// The kernel numbers the edges of a line; a gap tells how many it had no room for.
#[derive(Debug, Clone, Copy)]
struct Numbers {
    next: u32,
}

impl Numbers {
    /// The first edge after a request has the number 1.
    const START: Self = Self { next: 1 };

    /// How many edges are missing before the one with this number.
    fn missed(&mut self, number: u32) -> u32 {
        let missed = number.wrapping_sub(self.next);
        self.next = number.wrapping_add(1);
        // A number from before the expected one would be a fault of the kernel, not a loss of four thousand million edges.
        if missed > u32::MAX / 2 { 0 } else { missed }
    }
}

fn bias(bias: Bias) -> Option<line::Bias> {
    match bias {
        Bias::AsIs => None,
        Bias::Off => Some(line::Bias::Disabled),
        Bias::PullUp => Some(line::Bias::PullUp),
        Bias::PullDown => Some(line::Bias::PullDown),
    }
}

/// Adds a line to a request.
fn add(builder: &mut Builder, offset: Offset, wanted: &Wanted<'_>) {
    builder.with_line(offset).as_input().with_bias(bias(wanted.bias));
    if wanted.active == Level::Low {
        builder.as_active_low();
    }
    if !wanted.debounce.is_zero() {
        builder.with_debounce_period(wanted.debounce);
    }
    builder.with_event_clock(EventClock::Monotonic).with_edge_detection(match wanted.edges {
        Edges::Leading => EdgeDetection::RisingEdge,
        Edges::Both => EdgeDetection::BothEdges,
    });
}

fn request(lines: &[(&Found, &Wanted<'_>)]) -> Result<Request, Error> {
    let mut builder = Request::builder();
    builder.with_consumer(CONSUMER).with_kernel_event_buffer_size(KEPT);
    for (found, wanted) in lines {
        builder.on_chip(found.chip.path());
        add(&mut builder, found.offset, wanted);
    }
    builder.request()
}

/// Why the request of these lines of one chip was refused: finds the line that is to blame.
fn refused(lines: &[(&Found, &Wanted<'_>)], cause: &Error) -> LineError {
    if let Some(held) = lines.iter().find_map(|(found, _)| holder(found)) {
        return held;
    }
    for (found, wanted) in lines {
        let Err(cause) = request(&[(found, wanted)]) else { continue };
        if [Errno::NODEV, Errno::NXIO].iter().any(|errno| is(&cause, *errno)) {
            let what = "this line tells nobody of its edges: it has no interrupt";
            return error(&found.device, what, "choose another line");
        }
        return fail(&found.device, &cause, "this line may not be able to watch an input: choose another");
    }
    let device = lines.first().map_or("gpio", |(found, _)| &found.device);
    fail(device, cause, "the lines of this chip cannot be watched together: move some to another chip")
}

impl InputLines {
    /// Requests the lines; each must be another one.
    ///
    /// # Errors
    /// When a chip or line is missing, ambiguous, in use, not permitted, or gives no edges.
    pub(crate) fn open(wanted: &[Wanted<'_>]) -> Result<Self, LineError> {
        let mut found: Vec<(Found, &Wanted<'_>)> = Vec::new();
        for wanted in wanted {
            let next = find(wanted.named)?;
            let same = |other: &Found| other.offset == next.offset && other.chip.path() == next.chip.path();
            if let Some((_, other)) = found.iter().find(|(other, _)| same(other)) {
                let what = format!("is the line of `{}` too", other.named.key);
                return Err(error(&next.device, what, "choose another line for one of them"));
            }
            found.push((next, wanted));
        }
        let mut inputs = Self { chips: Vec::new(), lines: Vec::new(), buffer: Vec::new() };
        for (index, (line, _)) in found.iter().enumerate() {
            let path = line.chip.path();
            let chip = match inputs.chips.iter().position(|chip| chip.path == path) {
                Some(chip) => chip,
                None => {
                    let on_chip = found.iter().filter(|(line, _)| line.chip.path() == path);
                    let all: Vec<_> = on_chip.map(|(line, wanted)| (line, *wanted)).collect();
                    let request = request(&all).map_err(|cause| refused(&all, &cause))?;
                    inputs.chips.push(Watched { path: path.to_owned(), request, lines: Vec::new() });
                    inputs.chips.len() - 1
                }
            };
            inputs.chips[chip].lines.push((line.offset, index, Numbers::START));
            inputs.lines.push((chip, line.offset, line.device.clone()));
        }
        let words = inputs.chips.iter().map(|chip| chip.request.edge_event_u64_size()).max().unwrap_or(1);
        inputs.buffer = vec![0; TAKEN * words];
        Ok(inputs)
    }

    /// Key, chip and line of an input, for messages.
    pub(crate) fn device(&self, line: usize) -> &str {
        &self.lines[line].2
    }

    /// Whether an input is on now.
    ///
    /// # Errors
    /// When the chip is gone or has failed.
    pub(crate) fn is_on(&self, line: usize) -> Result<bool, LineError> {
        let (chip, offset, device) = &self.lines[line];
        let value = self.chips[*chip].request.value(*offset);
        Ok(value.map_err(|cause| gone(device, &cause))? == Value::Active)
    }

    /// Returns when an edge waits to be read, after `longest` at the latest. Several chips are waited for in turn: an edge of
    /// another one is then seen somewhat later, with its own stamp.
    ///
    /// # Errors
    /// When a chip is gone or has failed.
    pub(crate) fn wait(&self, longest: Duration) -> Result<(), LineError> {
        let share = longest / u32::try_from(self.chips.len().max(1)).unwrap_or(u32::MAX);
        for chip in &self.chips {
            match chip.request.wait_edge_event(share) {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                // A signal came; whoever waits comes again.
                Err(cause) if is(&cause, Errno::INTR) => return Ok(()),
                Err(cause) => return Err(self.failed(chip, &cause)),
            }
        }
        Ok(())
    }

    /// Appends the edges that wait, in the order in which they happened on each chip; does not wait itself.
    ///
    /// # Errors
    /// When a chip is gone or has failed.
    pub(crate) fn drain(&mut self, edges: &mut Vec<Edge>) -> Result<(), LineError> {
        for chip in 0..self.chips.len() {
            if let Err(cause) = self.chips[chip].drain(&mut self.buffer, edges) {
                return Err(self.failed(&self.chips[chip], &cause));
            }
        }
        Ok(())
    }

    fn failed(&self, chip: &Watched, cause: &Error) -> LineError {
        let device = chip.lines.first().map_or("gpio", |(_, line, _)| self.device(*line));
        gone(device, cause)
    }
}

impl Watched {
    fn drain(&mut self, buffer: &mut [u64], edges: &mut Vec<Edge>) -> Result<(), Error> {
        let words = self.request.edge_event_u64_size();
        for _ in 0..READS {
            match self.request.has_edge_event() {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(cause) if is(&cause, Errno::INTR) => return Ok(()),
                Err(cause) => return Err(cause),
            }
            let read = self.request.read_edge_events_into_slice(buffer)?;
            for event in buffer[..read.min(buffer.len())].chunks_exact(words) {
                let event = self.request.edge_event_from_slice(event)?;
                let known = self.lines.iter_mut().find(|(offset, ..)| *offset == event.offset);
                let Some((_, line, numbers)) = known else { continue };
                edges.push(Edge {
                    line: *line,
                    on: event.kind == EdgeKind::Rising,
                    at: Time::from_nanos(event.timestamp_ns),
                    missed: numbers.missed(event.line_seqno),
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_in_the_numbers_is_the_number_of_lost_edges() {
        let mut numbers = Numbers::START;
        let missed: Vec<u32> = [1, 2, 5, 6, 6, 7].map(|number| numbers.missed(number)).to_vec();
        assert_eq!(missed, [0, 0, 2, 0, 0, 0]);
        let mut numbers = Numbers { next: u32::MAX };
        assert_eq!([u32::MAX, 0, 3].map(|number| numbers.missed(number)), [0, 0, 2]);
    }
}
