//! `castgate draw`: drawn parts as a labelled folder of pictures, for training, tests and first steps.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::progress::teller;
use super::{ExitCode, UsageError};
use crate::album::layout::{DEFECT, OK};
use crate::camera::{FrameSource, simulated};
use crate::clock::Time;
use crate::config::Config;
use crate::frame::Frame;
use crate::lab::files::{write_png, write_whole};
use crate::lab::tell::Counter;
use crate::printable::Printable as _;
use crate::scene::{Place, draw_sample};
use crate::units::Share;
use crate::verdict::Truth;

/// Draw castings with and without defects as a labelled folder of pictures
///
/// Writes OUT/ok_front/*.png and OUT/def_front/*.png, one part each, framed as the line cuts parts out of its frames, and
/// OUT/labels.csv: file, truth, kinds of defects, and the circle that holds each as `x y radius` in pixels.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  castgate draw --out drawn --parts 2000 --seed 7
  castgate train --data drawn --out demo.onnx

Exit codes: 0 drawn, 2 the folder is not empty, 3 it cannot be written")]
pub(super) struct Args {
    /// Folder to write; new or empty
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Number of parts
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    parts: u64,
    /// Seed; the same seed draws the same parts
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Width and height of a picture in pixels
    #[arg(long, value_name = "PIXELS", default_value_t = 300, value_parser = clap::value_parser!(u32).range(32..=2048))]
    size: u32,
    /// Share of defective parts
    #[arg(long, value_name = "SHARE", default_value = "50%", value_parser = share)]
    defects: Share,
    /// Write so many frames of the simulated belt to OUT/frames, too
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=100_000))]
    frames: u64,
}

fn share(text: &str) -> Result<Share, String> {
    let share: Share = text.parse().map_err(|error: crate::units::UnitError| error.to_string())?;
    let range = 0.0..=1.0;
    range
        .contains(&share.as_fraction())
        .then_some(share)
        .ok_or_else(|| format!("`{text}` is not from 0% to 100%"))
}

/// Draws the parts.
///
/// # Errors
/// When the folder holds something already, or cannot be written.
pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    create_empty(&args.out)?;
    let tell = teller();
    let progress = Counter::new(&tell, args.parts + args.frames, "pictures");
    draw_parts(&args, &progress)?;
    draw_frames(&args, &progress)?;
    progress.end("drawn");
    Ok(ExitCode::Ok)
}

/// Makes sure that `folder` is there and empty: nothing is ever overwritten or mixed.
fn create_empty(folder: &Path) -> anyhow::Result<()> {
    let cannot = || format!("cannot use the folder {}", folder.shown());
    match std::fs::read_dir(folder) {
        Ok(mut entries) => match entries.next() {
            Some(_) => {
                let folder = folder.shown();
                Err(UsageError(format!("the folder {folder} is not empty; name a new one with --out")).into())
            }
            None => Ok(()),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            std::fs::create_dir_all(folder).with_context(cannot)
        }
        Err(error) => Err(error).with_context(cannot),
    }
}

fn draw_parts(args: &Args, progress: &Counter<'_>) -> anyhow::Result<()> {
    for name in [OK, DEFECT] {
        let folder = args.out.join(name);
        std::fs::create_dir(&folder).with_context(|| format!("cannot create {}", folder.shown()))?;
    }
    let labels = args.out.join("labels.csv");
    let mut csv = String::from("file,truth,defects,circles\n");
    let mut frame = Frame::default();
    let digits = args.parts.to_string().len();
    for index in 0..args.parts {
        let truth = truth(index, args.defects);
        let places = draw_sample(args.seed, index, truth, args.size as usize, &mut frame);
        let folder = if truth == Truth::Ok { OK } else { DEFECT };
        let file = format!("{folder}/part_{index:0digits$}.png");
        write_png(&args.out.join(&file), &frame)?;
        csv.push_str(&csv_line(&file, truth, &places));
        progress.step();
    }
    write_whole(&labels, csv.as_bytes())
}

/// Spreads the defective parts evenly, so that their share is right for any number of parts.
fn truth(index: u64, defects: Share) -> Truth {
    let until = |index: u64| (index as f64 * defects.as_fraction() + 1e-9).floor();
    if until(index + 1) > until(index) { Truth::Defect } else { Truth::Ok }
}

fn csv_line(file: &str, truth: Truth, places: &[Place]) -> String {
    let truth = if truth == Truth::Ok { "ok" } else { "defect" };
    let (mut kinds, mut circles) = (String::new(), String::new());
    for (i, place) in places.iter().enumerate() {
        let comma = if i == 0 { "" } else { ";" };
        // Writing to a string cannot fail.
        let _ = write!(kinds, "{comma}{}", place.kind);
        let _ = write!(circles, "{comma}{:.1} {:.1} {:.1}", place.x, place.y, place.radius);
    }
    format!("{file},{truth},{kinds},{circles}\n")
}

/// Frames of the demonstration line, from the first part in view on.
fn draw_frames(args: &Args, progress: &Counter<'_>) -> anyhow::Result<()> {
    if args.frames == 0 {
        return Ok(());
    }
    let folder = args.out.join("frames");
    std::fs::create_dir(&folder).with_context(|| format!("cannot create {}", folder.shown()))?;
    let mut config = Config::default();
    config.simulation.seed = args.seed;
    let (world, mut camera) = simulated::open(&config, Time::ZERO)?;
    let view_begins = config.camera.position.as_mm() - config.camera.view.as_mm() / 2.0;
    let first = world.belt().part(0);
    let mut now = world.time(world.belt().arrives_s(&first, view_begins));
    let mut frame = Frame::default();
    let digits = args.frames.to_string().len();
    for index in 0..args.frames {
        camera.next(now, &mut frame)?;
        now = camera.due().unwrap_or(now);
        write_png(&folder.join(format!("frame_{index:0digits$}.png")), &frame)?;
        progress.step();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Args as _, FromArgMatches as _};

    fn args(line: &str) -> Result<Args, clap::Error> {
        let command = Args::augment_args(clap::Command::new("draw").no_binary_name(true));
        Args::from_arg_matches(&command.try_get_matches_from(line.split_whitespace())?)
    }

    #[test]
    fn the_share_of_defects_holds_for_any_number_of_parts() {
        for (share, parts, wanted) in [(0.5, 10, 5), (0.25, 8, 2), (0.0, 9, 0), (1.0, 9, 9), (0.1, 30, 3)] {
            let defective = |k: &u64| truth(*k, Share::fraction(share)) == Truth::Defect;
            assert_eq!((0..parts).filter(defective).count(), wanted, "{share} of {parts}");
        }
    }

    #[test]
    fn parts_frames_and_labels_are_written_and_never_over_others() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("new/drawn");
        let line = format!("--out {} --parts 4 --size 64 --frames 2 --seed 3", out.display());
        run(args(&line).unwrap()).unwrap();
        let labels = std::fs::read_to_string(out.join("labels.csv")).unwrap();
        let lines: Vec<&str> = labels.lines().collect();
        assert_eq!(lines[0], "file,truth,defects,circles");
        assert_eq!(lines.len(), 5);
        for line in &lines[1..] {
            let fields: Vec<&str> = line.split(',').collect();
            assert!(out.join(fields[0]).is_file());
            assert_eq!(fields[1] == "defect", fields[0].starts_with("def_front/"));
            assert_eq!(fields[1] == "ok", fields[2].is_empty());
            assert_eq!(fields[2].split(';').count(), fields[3].split(';').count());
        }
        assert_eq!(std::fs::read_dir(out.join("frames")).unwrap().count(), 2);
        let error = run(args(&line).unwrap()).unwrap_err().to_string();
        assert!(error.contains("is not empty"), "{error}");
    }

    #[test]
    fn senseless_arguments_are_refused() {
        for wrong in ["--parts 0", "--size 1", "--defects 120%", "--defects 3", "--frames -1"] {
            assert!(args(&format!("--out x --parts 3 {wrong}")).is_err(), "{wrong}");
        }
    }
}
