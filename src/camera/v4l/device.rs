//! A video device that is open: agreed on format, size and rate, its settings made, its buffers streaming.
//!
//! nokhwa agrees on the format; the buffers are taken from `v4l`, the crate on which nokhwa stands, because its own way to a frame
//! tells neither the length of the picture, nor that the driver marked it damaged, nor the driver's stamp, and cannot give up
//! waiting. See `docs/decisions/0009-frames-past-nokhwa.md`.

use std::time::Duration;

use nokhwa::Camera as Nokhwa;
use nokhwa::utils::{
    CameraFormat, CameraIndex, FrameFormat, RequestedFormat, RequestedFormatType, Resolution,
};
use rustix::io::Errno;
use v4l::buffer::{Flags, Metadata, Type};
use v4l::format::{Colorspace, Quantization};
use v4l::fraction::Fraction;
use v4l::frameinterval::FrameIntervalEnum;
use v4l::framesize::FrameSizeEnum;
use v4l::io::traits::CaptureStream;
use v4l::prelude::MmapStream;
use v4l::video::Capture;
use v4l::video::capture::Parameters;
use v4l::{Device, Format, FourCC};

use super::controls;
use super::decode::{Layout, Shape, decode};
use super::facts::Facts;
use super::find::{self, Node};
use super::grab::{Stream, Taken};
use super::words::{self, Step};
use crate::clock::{Clock, Time};
use crate::config::{Camera, LumaRange};
use crate::frame::Frame;
use crate::units::Rate;

/// Buffers between driver and program: more hide a pause, and make frames older when there is one.
const BUFFERS: u32 = 4;
/// Most buffers that a driver makes of them.
const MOST_BUFFERS: usize = 32;
/// Longest wait for a frame before the stop is looked at, in milliseconds.
const WAIT_MS: i32 = 100;
/// A frame can be taken (`POLLIN`).
const READABLE: i16 = 1;
/// A stamp older than this is no stamp of the monotonic clock.
const OLDEST: Duration = Duration::from_secs(2);

/// A camera that streams.
pub(super) struct Streaming {
    stream: MmapStream<'static>,
    shape: Shape,
    colour: bool,
    stamp_delay: Duration,
    clock: std::sync::Arc<dyn Clock>,
    /// Whether it was told that the driver's stamps are of no use.
    told_stamps: bool,
}

/// Opens the device and checks that it takes pictures.
fn open_node(node: &Node) -> Result<Device, String> {
    let path = node.path();
    let failed = |error| format!("{} {}", path.display(), failure(node, Step::Open, &error));
    let device = Device::with_path(&path).map_err(failed)?;
    let caps = device.query_caps().map_err(failed)?;
    let pictures = find::nodes().into_iter().find(|other| other.name == node.name && other.index == 0);
    let pictures = pictures.filter(|other| other.number != node.number);
    let pictures = pictures.map(|other| other.path().display().to_string());
    match words::refusal(caps.capabilities, pictures.as_deref()) {
        None => Ok(device),
        Some(why) => Err(format!("{} ({}) {why}", path.display(), caps.card)),
    }
}

/// What failed with this device, who may be the cause, and what to do.
fn failure(node: &Node, step: Step, error: &std::io::Error) -> String {
    let busy = error.raw_os_error() == Some(Errno::BUSY.raw_os_error());
    words::failure(step, error, &if busy { find::users(&node.path()) } else { Vec::new() })
}

/// Looks the camera up, opens it, agrees on a format, makes the settings and begins to stream.
///
/// # Errors
/// What failed, on which device, and what to do.
pub(super) fn open(
    camera: &Camera,
    colour: bool,
    clock: std::sync::Arc<dyn Clock>,
) -> Result<(Streaming, Facts), String> {
    let node = find::resolve(camera.device.as_deref())?;
    let device = open_node(&node)?;
    let at = |error: String| format!("{} {error}", node.path().display());
    let layout = choose(&device, camera).map_err(at)?;
    let format = agree(&device, &node, layout, camera).map_err(at)?;
    let layout = Layout::of_code(format.fourcc.repr)
        .ok_or_else(|| at(format!("insists on the unknown format {}", format.fourcc)))?;
    let mut differences = Vec::new();
    if (format.width, format.height) != (camera.width, camera.height) {
        differences.push(format!(
            "camera.width, camera.height: asked for {} x {}, the camera took {} x {}",
            camera.width, camera.height, format.width, format.height
        ));
    }
    let rate = device.params().ok().and_then(|params| rate_of(params.interval));
    if let Some(rate) = rate.filter(|rate| (rate.as_per_s() / camera.rate.as_per_s() - 1.0).abs() > 0.01) {
        differences.push(format!("camera.rate: asked for {}, the camera took {rate}", camera.rate));
    }
    differences.extend(controls::apply(&device, camera));
    let limited = match camera.range {
        LumaRange::Full => false,
        LumaRange::Limited => true,
        LumaRange::Auto => is_limited(&format),
    };
    let shape = Shape {
        layout,
        width: format.width as usize,
        height: format.height as usize,
        stride: format.stride as usize,
        limited: limited && matches!(layout, Layout::Yuyv | Layout::Nv12),
    };
    let mut words = vec![
        format!("{} ({})", node.path().display(), node.name),
        format!("{} {} x {}", format.fourcc, format.width, format.height),
    ];
    words.extend(rate.map(|rate| rate.to_string()));
    words.extend(controls::present(&device));
    let mut stream = MmapStream::with_buffers(&device, Type::VideoCapture, BUFFERS)
        .map_err(|error| at(failure(&node, Step::Buffers, &error)))?;
    begin(&mut stream).map_err(|error| at(failure(&node, Step::Start, &error)))?;
    let stamp_delay = camera.stamp_delay.duration();
    let streaming = Streaming { stream, shape, colour, stamp_delay, clock, told_stamps: false };
    Ok((streaming, Facts { summary: words.join(", "), differences, rate }))
}

/// Gives the driver all buffers but the first, which the first [`CaptureStream::next`] gives it, and starts.
fn begin(stream: &mut MmapStream<'_>) -> std::io::Result<()> {
    // There may be more or fewer than were asked for: the first that does not exist is refused.
    let _ = (1..MOST_BUFFERS).try_for_each(|index| CaptureStream::queue(stream, index));
    v4l::io::traits::Stream::start(stream)?;
    // What is readable is there: a driver that makes wait nevertheless is in trouble.
    stream.set_timeout(Duration::from_millis(250));
    Ok(())
}

/// The layout that is asked for, or the best of those that the camera offers at this size and rate.
fn choose(device: &Device, camera: &Camera) -> Result<Layout, String> {
    if let Some(layout) = Layout::wanted(camera.format) {
        return Ok(layout);
    }
    let offered = offered(device)?;
    let size = |layout: &Layout| has_size(device, *layout, camera);
    let rate = |layout: &Layout| has_rate(device, *layout, camera);
    let best = Layout::ALL.into_iter().filter(|layout| offered.contains(layout));
    let best: Vec<Layout> = best.collect();
    let both = best.iter().find(|layout| size(layout) && rate(layout));
    let chosen = both.or_else(|| best.iter().find(|layout| size(layout))).or(best.first());
    chosen.copied().ok_or_else(|| "offers none of the formats GREY, NV12, YUYV, RGB3 and MJPG".to_owned())
}

fn offered(device: &Device) -> Result<Vec<Layout>, String> {
    let formats = device.enum_formats().map_err(|error| format!("does not list its formats: {error}"))?;
    Ok(formats.iter().filter_map(|format| Layout::of_code(format.fourcc.repr)).collect())
}

fn code(layout: Layout) -> FourCC {
    FourCC::new(&layout.code())
}

fn has_size(device: &Device, layout: Layout, camera: &Camera) -> bool {
    let sizes = device.enum_framesizes(code(layout)).unwrap_or_default();
    sizes.iter().any(|size| match &size.size {
        FrameSizeEnum::Discrete(size) => (size.width, size.height) == (camera.width, camera.height),
        FrameSizeEnum::Stepwise(steps) => {
            (steps.min_width..=steps.max_width).contains(&camera.width)
                && (steps.min_height..=steps.max_height).contains(&camera.height)
        }
    })
}

fn has_rate(device: &Device, layout: Layout, camera: &Camera) -> bool {
    let intervals = device.enum_frameintervals(code(layout), camera.width, camera.height).unwrap_or_default();
    let enough =
        |interval| rate_of(interval).is_some_and(|rate| rate.as_per_s() > camera.rate.as_per_s() * 0.99);
    intervals.is_empty()
        || intervals.iter().any(|interval| match &interval.interval {
            FrameIntervalEnum::Discrete(interval) => enough(*interval),
            FrameIntervalEnum::Stepwise(steps) => enough(steps.min),
        })
}

fn rate_of(interval: Fraction) -> Option<Rate> {
    let per_s = f64::from(interval.denominator) / f64::from(interval.numerator);
    (interval.numerator > 0 && interval.denominator > 0).then(|| Rate::per_s(per_s))
}

/// The interval between frames as the kernel wants it: a fraction of whole numbers.
fn interval_of(rate: Rate) -> Fraction {
    let per_s = rate.as_per_s();
    match (per_s - per_s.round()).abs() < 1e-6 {
        true => Fraction::new(1, per_s.round().max(1.0) as u32),
        false => Fraction::new(1000, (per_s * 1000.0).round().max(1.0) as u32),
    }
}

/// Sets format, size and rate: by nokhwa, or by hand where that cannot say what is wanted (GREY, whose code it spells otherwise,
/// broken rates, cameras that offer a range of sizes). The answer is what the device has now.
fn agree(device: &Device, node: &Node, layout: Layout, camera: &Camera) -> Result<Format, String> {
    let by_nokhwa = with_nokhwa(node, layout, camera);
    let format = device.format().map_err(|error| failure(node, Step::Format, &error))?;
    let agreed =
        format.fourcc.repr == layout.code() && (format.width, format.height) == (camera.width, camera.height);
    if by_nokhwa.is_ok() && agreed {
        return Ok(format);
    }
    if let Err(error) = by_nokhwa {
        log::debug!("{}: set by hand: {error}", node.path().display());
    }
    let wanted = Format::new(camera.width, camera.height, code(layout));
    let format = device.set_format(&wanted).map_err(|error| failure(node, Step::Format, &error))?;
    if Layout::of_code(format.fourcc.repr) != Some(layout) {
        let offered: Vec<String> = offered(device)?.iter().map(|layout| code(*layout).to_string()).collect();
        return Err(format!("has no {}; it offers {}", wanted.fourcc, offered.join(", ")));
    }
    // A camera with one rate refuses to have it set; what holds is read back and told.
    let _ = device.set_params(&Parameters::new(interval_of(camera.rate)));
    Ok(format)
}

fn with_nokhwa(node: &Node, layout: Layout, camera: &Camera) -> Result<(), String> {
    let kind = match layout {
        Layout::Yuyv => FrameFormat::YUYV,
        Layout::Nv12 => FrameFormat::NV12,
        Layout::Mjpeg => FrameFormat::MJPEG,
        Layout::Rgb => FrameFormat::RAWRGB,
        Layout::Grey => return Err("nokhwa has another code for GREY".to_owned()),
    };
    let interval = interval_of(camera.rate);
    if interval.numerator != 1 {
        return Err("nokhwa knows whole rates only".to_owned());
    }
    let size = Resolution::new(camera.width, camera.height);
    let exactly = RequestedFormatType::Exact(CameraFormat::new(size, kind, interval.denominator));
    let formats = [kind];
    let request = RequestedFormat::with_formats(exactly, &formats);
    Nokhwa::new(CameraIndex::Index(node.number), request).map(drop).map_err(|error| error.to_string())
}

/// Whether black is 16 in a driver's format, by the kernel's rule (`V4L2_MAP_QUANTIZATION_DEFAULT`).
fn is_limited(format: &Format) -> bool {
    match format.quantization {
        Quantization::FullRange => false,
        Quantization::LimitedRange => true,
        Quantization::Default => !matches!(format.colorspace, Colorspace::JPEG),
    }
}

/// A driver's stamp, if it is one of the monotonic clock: not later than now and not old.
fn stamp(meta: &Metadata, now: Time) -> Option<Time> {
    let at = Time::from_nanos(u64::try_from(Duration::from(meta.timestamp).as_nanos()).ok()?);
    (at <= now && now - at < OLDEST).then_some(at)
}

impl Stream for Streaming {
    fn next(&mut self, frame: &mut Frame) -> Result<Taken, String> {
        // Asked before a buffer is given back: a wait that ends without a frame then changes nothing.
        let lost = |error: std::io::Error| match error.raw_os_error() {
            Some(errno) if errno == Errno::NODEV.raw_os_error() => "the camera was unplugged".to_owned(),
            _ => format!("it {}", words::failure(Step::Frame, &error, &[])),
        };
        match self.stream.handle().poll(READABLE, WAIT_MS) {
            Ok(0) => return Ok(Taken::Nothing),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => return Ok(Taken::Nothing),
            Err(error) => return Err(lost(error)),
        }
        let (bytes, meta) = CaptureStream::next(&mut self.stream).map_err(lost)?;
        let now = self.clock.now();
        let (stamped, sequence) = (stamp(meta, now), meta.sequence);
        frame.received_at = now;
        frame.captured_at = stamped.unwrap_or(now).plus_s(-self.stamp_delay.as_secs_f64());
        if meta.flags.contains(Flags::ERROR) {
            return Ok(Taken::Unusable { why: "the driver marked it as damaged".to_owned(), sequence });
        }
        let used = bytes.get(..meta.bytesused as usize).unwrap_or(bytes);
        if let Err(why) = decode(used, &self.shape, self.colour, frame) {
            return Ok(Taken::Unusable { why, sequence });
        }
        log::trace!(
            "frame {} with the stamp {:?} at {:?}",
            meta.sequence,
            Duration::from(meta.timestamp),
            now - Time::ZERO
        );
        if stamped.is_none() && !std::mem::replace(&mut self.told_stamps, true) {
            log::warn!(
                "the camera's driver stamps frames by no clock of use: the time of arrival is taken instead"
            );
        }
        frame.origin = None;
        Ok(Taken::Frame { sequence })
    }
}

/// What `castgate camera show` tells of a camera: its name and driver, and each format with sizes and rates.
pub(super) fn describe(node: &Node) -> Result<Vec<String>, String> {
    let device = open_node(node)?;
    let caps = device.query_caps().map_err(|error| error.to_string())?;
    let mut lines = vec![format!("{}  driver {}, at {}", caps.card, caps.driver, caps.bus)];
    lines.extend(controls::present(&device).into_iter().map(|setting| format!("  {setting}")));
    let formats = device.enum_formats().map_err(|error| error.to_string())?;
    let (useful, others): (Vec<_>, Vec<_>) =
        formats.iter().partition(|format| Layout::of_code(format.fourcc.repr).is_some());
    for format in useful {
        lines.push(format!("{}  {}", format.fourcc, format.description));
        for size in device.enum_framesizes(format.fourcc).unwrap_or_default() {
            lines.push(format!("  {}", size_told(&device, format.fourcc, &size.size)));
        }
    }
    if !others.is_empty() {
        let others: Vec<String> = others.iter().map(|format| format.fourcc.to_string()).collect();
        lines.push(format!("not used by castgate: {}", others.join(", ")));
    }
    Ok(lines)
}

fn size_told(device: &Device, code: FourCC, size: &FrameSizeEnum) -> String {
    let (width, height) = match size {
        FrameSizeEnum::Discrete(size) => (size.width, size.height),
        FrameSizeEnum::Stepwise(steps) => {
            return format!(
                "{} x {} to {} x {}",
                steps.min_width, steps.min_height, steps.max_width, steps.max_height
            );
        }
    };
    let intervals = device.enum_frameintervals(code, width, height).unwrap_or_default();
    let rates: Vec<String> = intervals
        .iter()
        .filter_map(|interval| match &interval.interval {
            FrameIntervalEnum::Discrete(interval) => rate_of(*interval),
            FrameIntervalEnum::Stepwise(steps) => rate_of(steps.min),
        })
        .map(|rate| rate.to_string())
        .collect();
    format!("{width} x {height}  {}", rates.join(", "))
}

/// The cameras that nokhwa sees, by the number of their devices.
pub(super) fn listed() -> Vec<u32> {
    let cameras = nokhwa::query(nokhwa::utils::ApiBackend::Video4Linux).unwrap_or_default();
    let mut numbers: Vec<u32> = cameras.iter().filter_map(|camera| camera.index().as_index().ok()).collect();
    numbers.sort_unstable();
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_become_fractions_that_the_kernel_knows() {
        let fraction = |rate| {
            let interval = interval_of(Rate::per_s(rate));
            (interval.numerator, interval.denominator)
        };
        assert_eq!([30.0, 7.5, 0.1].map(fraction), [(1, 30), (1000, 7500), (1000, 100)]);
    }

    #[test]
    fn only_a_recent_stamp_of_the_monotonic_clock_is_believed() {
        let now = Time::from_nanos(100_000_000_000);
        let at = |sec, usec| {
            let timestamp = v4l::Timestamp { sec, usec };
            stamp(&Metadata { timestamp, ..Metadata::default() }, now)
        };
        assert_eq!(at(99, 950_000), Some(Time::from_nanos(99_950_000_000)));
        assert_eq!([at(100, 1), at(97, 0), at(0, 0), at(1_790_000_000, 0)], [None; 4]);
    }
}
