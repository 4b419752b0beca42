//! A conveyor for the virtual machine: the simulated line's frames go into a loopback camera, its sensors onto simulated GPIO lines.
//!
//! Runs in the guest beside castgate, which sees real kernel devices. Writes what each part truly is and when its leading edge reached
//! the sensor. Reads the gate's line, so that a removed part is confirmed. With a folder camera each picture is a frame, and no sensor
//! is driven.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use castgate::camera::folder::FolderCamera;
use castgate::camera::{Captured, FrameSource, simulated};
use castgate::clock::{Clock as _, SystemClock, Time};
use castgate::config::load::load;
use castgate::config::{CameraKind, Config, GateState, Level};
use castgate::frame::{Frame, PixelFormat};
use castgate::scene::World;
use castgate::sensor::simulated::SimulatedSensor;
use castgate::sensor::{SensorEvent, SensorSource as _};
use castgate::verdict::Truth;
use v4l::video::Output as _;
use v4l::{Device, Format, FourCC};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// What is on the command line: `feed CONFIG VIDEO CHIP SENSOR CONFIRM GATE PARTS TRUTH`.
struct Place {
    config: PathBuf,
    video: PathBuf,
    /// The folder of the simulated chip, which holds `sim_gpioN`.
    chip: PathBuf,
    sensor: u32,
    confirm: u32,
    gate: u32,
    parts: usize,
    truth: PathBuf,
}

/// Side of the pictures of a folder in pixels, which the configurations of tests/vm/run name too.
const PICTURE: u32 = 300;

fn place() -> Option<Place> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [config, video, chip, sensor, confirm, gate, parts, truth] = words.as_slice() else { return None };
    Some(Place {
        config: config.into(),
        video: video.into(),
        chip: chip.into(),
        sensor: sensor.parse().ok()?,
        confirm: confirm.parse().ok()?,
        gate: gate.parse().ok()?,
        parts: parts.parse().ok()?,
        truth: truth.into(),
    })
}

fn wait_until(at: Time) {
    let never = crossbeam_channel::never::<()>();
    // Nothing comes: it is a wait.
    let _ = never.recv_timeout(at - SystemClock.now());
}

impl Place {
    fn line(&self, line: u32, file: &str) -> PathBuf {
        self.chip.join(format!("sim_gpio{line}/{file}"))
    }

    fn drive(&self, line: u32, on: bool) -> io::Result<()> {
        fs::write(self.line(line, "pull"), if on { "pull-up" } else { "pull-down" })
    }
}

/// The loopback camera, agreed on grey pictures of this size.
fn loopback(path: &Path, width: u32, height: u32) -> Result<Device> {
    let device = Device::with_path(path)?;
    let mut format = Format::new(width, height, FourCC::new(b"GREY"));
    format.size = width * height;
    device.set_format(&format)?;
    Ok(device)
}

/// Frames into the loopback camera until `done`, or until there are none.
fn film(
    place: &Place,
    mut camera: impl FrameSource,
    (width, height): (u32, u32),
    done: &AtomicBool,
) -> Result<()> {
    let mut device = loopback(&place.video, width, height).ok();
    let mut frame = Frame::default();
    while !done.load(Ordering::Relaxed) {
        let due = camera.due().unwrap_or_else(|| SystemClock.now());
        match camera.next(due.max(SystemClock.now()), &mut frame)? {
            Captured::End => break,
            Captured::Frame => {}
            _ => continue,
        }
        if frame.format != PixelFormat::Grey8
            || (frame.width, frame.height) != (width as usize, height as usize)
        {
            return Err(format!("a picture is not grey or not {width} x {height} pixels").into());
        }
        wait_until(due);
        if device.is_none() {
            device = loopback(&place.video, width, height).ok();
        }
        // The device may go and come: that is what some scenarios are about.
        if !matches!(device.as_mut().map(|device| device.write_all(&frame.pixels)), Some(Ok(()))) {
            device = None;
        }
    }
    Ok(())
}

/// What the gate's line says, for the simulated belt, until `done`.
fn follow_gate(place: &Place, config: &Config, world: &World, done: &AtomicBool) {
    let mut before = None;
    while !done.load(Ordering::Relaxed) {
        let now = SystemClock.now();
        let high = fs::read_to_string(place.line(place.gate, "value")).is_ok_and(|value| value.trim() == "1");
        let reject = high == (config.gate.reject_level == Level::High);
        let state = if reject { GateState::Reject } else { GateState::Pass };
        if before.replace(state) != Some(state) {
            world.command(state, now);
        }
        wait_until(now + Duration::from_millis(2));
    }
}

/// Edges of the sensors, until all parts have been there and left.
fn sense(place: &Place, config: &Config, world: &Arc<World>) -> Result<()> {
    let mut sensor = SimulatedSensor::new(config, world.clone());
    let mut truth = File::create(&place.truth)?;
    let (mut events, mut parts) = (Vec::new(), 0);
    let speed = config.line.speed.as_mm_per_s();
    // The last part is to pass the confirm sensor, too.
    let rest = (config.confirm.position.as_mm() + 3.0 * config.line.part_length.as_mm()) / speed;
    let mut end = None;
    while end.is_none_or(|end| SystemClock.now() < end) {
        let due = sensor.due().unwrap_or_else(|| SystemClock.now());
        wait_until(end.map_or(due, |end| due.min(end)));
        sensor.poll(SystemClock.now(), &mut events)?;
        for event in events.drain(..) {
            match event {
                SensorEvent::PartArrived { at } => {
                    place.drive(place.sensor, true)?;
                    let done = SystemClock.now();
                    parts += 1;
                    if parts > place.parts {
                        continue;
                    }
                    if let Some(part) = world.truth_of(at) {
                        writeln!(
                            truth,
                            r#"{{"part":{parts},"wall_ms":{},"done_ns":{},"late_ms":{:.0},"truth":"{}","name":{:?}}}"#,
                            SystemClock.wall_ms(),
                            done.as_nanos(),
                            done.seconds_since(at) * 1e3,
                            if part.truth == Truth::Ok { "ok" } else { "defect" },
                            part.name.unwrap_or_default()
                        )?;
                        truth.flush()?;
                    }
                    if parts == place.parts {
                        end = Some(SystemClock.now().plus_s(rest));
                    }
                }
                SensorEvent::PartLeft { .. } => place.drive(place.sensor, false)?,
                SensorEvent::Confirmed { .. } => {
                    place.drive(place.confirm, true)?;
                    wait_until(SystemClock.now() + Duration::from_millis(30));
                    place.drive(place.confirm, false)?;
                }
                _ => {}
            }
        }
    }
    Ok(())
}

fn run(place: &Place) -> Result<()> {
    let config = load(Path::new(&place.config))?.config;
    if config.camera.kind == CameraKind::Folder {
        // castgate, which waits for the camera, has found it by then.
        let start = SystemClock.now().plus_s(8.0);
        let camera = FolderCamera::open(&config.camera, start)?;
        return film(place, camera, (PICTURE, PICTURE), &AtomicBool::new(false));
    }
    // The belt starts in a second, when everything is open.
    let (world, camera) = simulated::open(&config, SystemClock.now().plus_s(1.0))?;
    place.drive(place.sensor, false)?;
    place.drive(place.confirm, false)?;
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let filming = scope.spawn(|| film(place, camera, (config.camera.width, config.camera.height), &done));
        scope.spawn(|| follow_gate(place, &config, &world, &done));
        let sensed = sense(place, &config, &world);
        done.store(true, Ordering::Relaxed);
        let filmed = filming.join().unwrap_or_else(|_| Err("the camera's thread panicked".into()));
        sensed.and(filmed)
    })
}

fn main() -> std::process::ExitCode {
    let Some(place) = place() else {
        eprintln!("usage: vm-feed CONFIG VIDEO CHIP SENSOR CONFIRM GATE PARTS TRUTH");
        return 2.into();
    };
    match run(&place) {
        Ok(()) => 0.into(),
        Err(error) => {
            eprintln!("vm-feed: {error}");
            3.into()
        }
    }
}
