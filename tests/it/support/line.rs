//! Devices of a line that do as they are told. No assertions are hidden here.

use std::sync::{Arc, Mutex};

use castgate::camera::{CameraError, Captured, FrameSource};
use castgate::clock::{Clock, Time};
use castgate::config::manifest::Input;
use castgate::config::{Config, GateState, Trigger};
use castgate::decide::{PartRecord, Policy, Rules};
use castgate::frame::Frame;
use castgate::gate::{Gate, GateError};
use castgate::model::Scripted;
use castgate::pipeline::{Event, Line, Listener};
use castgate::verdict::Score;
use castgate::vision::Preprocessor;

/// A camera whose frames come from a closure; each is a frame of its own.
pub(crate) struct FakeCamera<F> {
    pub(crate) every: Option<std::time::Duration>,
    pub(crate) next: Time,
    pub(crate) waits: bool,
    pub(crate) fill: F,
}

impl<F: FnMut(u64, &mut Frame) -> Result<Captured, CameraError> + Send> FrameSource for FakeCamera<F> {
    fn due(&self) -> Option<Time> {
        self.every.map(|_| self.next)
    }

    fn waits(&self) -> bool {
        self.waits
    }

    fn next(&mut self, now: Time, frame: &mut Frame) -> Result<Captured, CameraError> {
        frame.captured_at = now;
        if let Some(every) = self.every {
            self.next = self.next.max(now) + every;
        }
        (self.fill)(now.as_nanos(), frame)
    }
}

/// Gives `count` small frames in two greys and then ends; `shade` is the mean grey of frame n. No two of 512 in a row are the same.
pub(crate) fn pictures(
    count: u64,
    mut shade: impl FnMut(u64) -> u8 + Send + 'static,
) -> Box<dyn FrameSource> {
    let mut given = 0;
    Box::new(FakeCamera {
        every: None,
        next: Time::ZERO,
        waits: true,
        fill: move |_, frame: &mut Frame| {
            if given == count {
                return Ok(Captured::End);
            }
            given += 1;
            (frame.width, frame.height) = (16, 16);
            let shade = shade(given);
            frame.pixels.clear();
            frame.pixels.extend((0..256).map(|at| if at % 16 < 8 { shade - 8 } else { shade + 8 }));
            // No two of some hundred are the same: no camera gives a picture twice.
            (0..3).for_each(|digit| frame.pixels[digit] += (given >> (3 * digit) & 7) as u8);
            Ok(Captured::Frame)
        },
    })
}

/// A gate that writes down where it was told to go, and refuses from a moment on.
#[derive(Clone, Default)]
pub(crate) struct Recorder {
    pub(crate) moves: Arc<Mutex<Vec<(Time, GateState)>>>,
    pub(crate) refuse_after: Option<usize>,
}

impl Recorder {
    pub(crate) fn last(&self) -> Option<GateState> {
        self.moves.lock().unwrap().last().map(|(_, state)| *state)
    }
}

impl Gate for Recorder {
    fn set(&mut self, state: GateState, now: Time) -> Result<(), GateError> {
        let mut moves = self.moves.lock().unwrap();
        if self.refuse_after.is_some_and(|n| moves.len() >= n) {
            let what = "the test says no".to_owned();
            return Err(GateError { device: "recorder".to_owned(), what, remedy: "none" });
        }
        moves.push((now, state));
        Ok(())
    }
}

/// Keeps the records of parts.
#[derive(Clone, Default)]
pub(crate) struct Heard(pub(crate) Arc<Mutex<Vec<PartRecord>>>);

impl Listener for Heard {
    fn hear(&mut self, event: &Event) {
        if let Event::Part(record) = event {
            self.0.lock().unwrap().push((**record).clone());
        }
    }
}

pub(crate) fn small_input() -> Input {
    Input { width: 8, height: 8, ..Input::default() }
}

/// A line on which every frame is a part whose score is its mean grey.
pub(crate) fn line(camera: Box<dyn FrameSource>, gate: Recorder, clock: Arc<dyn Clock>) -> (Line, Heard) {
    line_of(camera, gate, clock, |_| {})
}

/// The same with another configuration.
pub(crate) fn line_of(
    camera: Box<dyn FrameSource>,
    gate: Recorder,
    clock: Arc<dyn Clock>,
    change: impl FnOnce(&mut Config),
) -> (Line, Heard) {
    let mut config = Config::default();
    config.preprocess.find = false;
    config.decide.trigger = Trigger::EveryFrame;
    config.decide.max_parts = 4096;
    change(&mut config);
    let mean = |x: &[f32]| x.iter().sum::<f32>() / x.len() as f32;
    let model = Scripted::new(small_input(), move |x| Ok(Score::new(mean(x)).unwrap()));
    let heard = Heard::default();
    let devices = (camera, Preprocessor::for_line(&config, &small_input()), Box::new(model) as Box<_>);
    let rules = Rules::of(&config, Policy { threshold: 0.5, unsure: 0.0 });
    let mut line = Line::new(devices, rules, Box::new(gate), clock);
    line.listeners.push(Box::new(heard.clone()));
    (line, heard)
}
