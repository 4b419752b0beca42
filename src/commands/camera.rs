//! `castgate camera`: which cameras there are, what they can do, a picture, and the sharpness while the lens is turned.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{ExitCode, print, stop_on_signal};
use crate::camera::{Captured, FrameSource, v4l};
use crate::clock::{Clock, SystemClock, Time};
use crate::config::load::load;
use crate::config::{CameraFormat, CameraKind, Config};
use crate::frame::{Frame, PixelFormat};
use crate::lab::files::write_png;
use crate::line::devices;
use crate::printable::Printable as _;
use crate::vision;

/// Find, try and focus the camera
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  castgate camera list                                  the cameras of this board, with paths that last
  castgate camera show /dev/video0                      its settings, formats, sizes and rates
  castgate camera snap --config castgate.yaml --out picture.png
  castgate camera focus --config castgate.yaml          turn the lens until the figure is highest

Exit codes: 0 ok, 1 no picture came in time, 2 usage or configuration, 3 the camera cannot be used")]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List the cameras of this board
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show what a camera can do
    Show {
        /// Its path, number or name; not needed if there is only one
        #[arg(value_name = "CAMERA")]
        camera: Option<String>,
    },
    /// Take a picture
    Snap {
        #[command(flatten)]
        which: Which,
        /// PNG file to write
        #[arg(long, value_name = "PNG", default_value = "picture.png")]
        out: PathBuf,
        /// Frames to skip first, while the camera's automatic settings settle
        #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(0..=1000))]
        skip: u32,
    },
    /// Show the sharpness four times a second, for turning the lens
    Focus {
        #[command(flatten)]
        which: Which,
        /// End after so many lines
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        lines: Option<u32>,
    },
}

#[derive(Debug, clap::Args)]
struct Which {
    /// Configuration whose camera to use; without it, the camera of --device with its own settings
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The camera's path, number or name, instead of the configuration's
    #[arg(long, value_name = "CAMERA")]
    device: Option<String>,
}

/// Longest wait for a picture.
const PATIENCE: Duration = Duration::from_secs(10);
/// Time between two lines of `focus`.
const EVERY: Duration = Duration::from_millis(250);
/// Width of the bar of `focus`.
const BAR: usize = 40;

pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.action {
        Action::List { json } => list(json),
        Action::Show { camera } => {
            let lines = v4l::show(camera.as_deref())?;
            print(&(lines.join("\n") + "\n"))?;
            Ok(ExitCode::Ok)
        }
        Action::Snap { which, out, skip } => snap(&which, &out, skip),
        Action::Focus { which, lines } => focus(&which, lines),
    }
}

fn list(json: bool) -> anyhow::Result<ExitCode> {
    let cameras = v4l::list();
    if json {
        print(&(serde_json::to_string_pretty(&cameras)? + "\n"))?;
        return Ok(ExitCode::Ok);
    }
    let mut text = String::new();
    for camera in &cameras {
        text.push_str(&format!("{}  {}\n", camera.path.shown(), camera.name));
        camera.lasting.iter().for_each(|path| text.push_str(&format!("  {}\n", path.shown())));
    }
    if cameras.is_empty() {
        text.push_str("this board has no camera that Linux shows as a video device\n");
    }
    print(&text)?;
    Ok(ExitCode::Ok)
}

/// A camera, the clock of its stamps, and the configuration it comes from.
type Opened = (Box<dyn FrameSource>, Arc<dyn Clock>, Config);

/// The camera that is meant.
fn open(which: &Which) -> anyhow::Result<Opened> {
    let mut config = match &which.config {
        Some(path) => load(path)?.config,
        None => {
            let mut config = Config::default();
            config.camera.kind = CameraKind::V4l;
            config.camera.format = CameraFormat::Auto;
            config
        }
    };
    if which.device.is_some() {
        config.camera.kind = CameraKind::V4l;
        config.camera.device.clone_from(&which.device);
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let camera = devices::camera(&config, &clock)?;
    Ok((camera, clock, config))
}

/// The next picture; `None` when none came in time or whoever runs this has had enough.
fn next(
    camera: &mut dyn FrameSource,
    clock: &dyn Clock,
    frame: &mut Frame,
    stop: &AtomicBool,
) -> anyhow::Result<bool> {
    let until = clock.now() + PATIENCE;
    let never = crossbeam_channel::never::<()>();
    while !stop.load(Ordering::Relaxed) && clock.now() < until {
        if let Some(due) = camera.due() {
            // Nothing comes here: it is a wait.
            let _ = never.recv_timeout((due - clock.now()).min(PATIENCE));
        }
        match camera.next(clock.now(), frame)? {
            Captured::Frame => return Ok(true),
            Captured::End => return Ok(false),
            Captured::Unusable { name, why } => log::warn!("{name} cannot be used: {why}"),
            Captured::Damaged { why: Some(why) } => log::warn!("a frame of the camera cannot be used: {why}"),
            Captured::Damaged { why: None } | Captured::Nothing => {}
        }
    }
    Ok(false)
}

fn snap(which: &Which, out: &std::path::Path, skip: u32) -> anyhow::Result<ExitCode> {
    let (mut camera, clock, _) = open(which)?;
    let stop = Arc::new(AtomicBool::new(false));
    let _watch = stop_on_signal(&stop)?;
    let mut frame = Frame::default();
    for _ in 0..=skip {
        if !next(camera.as_mut(), clock.as_ref(), &mut frame, &stop)? {
            print("no picture came\n")?;
            return Ok(ExitCode::No);
        }
    }
    write_png(out, &frame)?;
    let colour = if frame.format == PixelFormat::Grey8 { "grey" } else { "colour" };
    let age = (clock.now() - frame.captured_at).as_secs_f64() * 1e3;
    print(&format!(
        "{}: {} x {} pixels, {colour}, captured {age:.0} ms ago, sharpness {:.2}\n",
        out.shown(),
        frame.width,
        frame.height,
        vision::frame_sharpness(&frame, None)
    ))?;
    Ok(ExitCode::Ok)
}

fn focus(which: &Which, lines: Option<u32>) -> anyhow::Result<ExitCode> {
    let (mut camera, clock, config) = open(which)?;
    let stop = Arc::new(AtomicBool::new(false));
    let _watch = stop_on_signal(&stop)?;
    let region = config.preprocess.region;
    let (mut frame, mut best, mut told) = (Frame::default(), 0.0_f32, 0);
    let mut due = Time::ZERO;
    while lines.is_none_or(|lines| told < lines) {
        if !next(camera.as_mut(), clock.as_ref(), &mut frame, &stop)? {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            print("no picture came\n")?;
            return Ok(ExitCode::No);
        }
        if clock.now() < due {
            continue;
        }
        due = clock.now() + EVERY;
        let sharpness = vision::frame_sharpness(&frame, region);
        best = best.max(sharpness);
        told += 1;
        print(&bar(sharpness, best))?;
    }
    Ok(ExitCode::Ok)
}

/// `  6.31  of  8.02  ##########`: the figure, the best so far, and their ratio as a bar.
fn bar(sharpness: f32, best: f32) -> String {
    let share = if best > 0.0 { (sharpness / best).clamp(0.0, 1.0) } else { 0.0 };
    let filled = (share * BAR as f32).round() as usize;
    let words = if filled == BAR { "  best so far" } else { "" };
    format!("{sharpness:7.2}  of {best:7.2}  {:<BAR$}{words}\n", "#".repeat(filled))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_shows_how_near_the_best_is() {
        assert_eq!(bar(8.0, 8.0).trim_end(), format!("   8.00  of    8.00  {}  best so far", "#".repeat(40)));
        assert_eq!(bar(2.0, 8.0).trim_end(), format!("   2.00  of    8.00  {}", "#".repeat(10)));
        assert_eq!(bar(0.0, 0.0).trim_end(), "   0.00  of    0.00");
    }
}
