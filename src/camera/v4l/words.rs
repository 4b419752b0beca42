//! What a camera's errors and capabilities mean, in words, with what to do.
//!
//! Pure: knows the kernel's numbers (`include/uapi/linux/videodev2.h`, the answers of its drivers), opens nothing.

use std::io;

use rustix::io::Errno;
use v4l::capability::Flags;

/// What castgate was about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// To open the device.
    Open,
    /// To read or set format, size and rate.
    Format,
    /// To have the driver make buffers.
    Buffers,
    /// To have it begin to send (`VIDIOC_STREAMON`).
    Start,
    /// To take a frame.
    Frame,
}

impl Step {
    const fn cannot(self) -> &'static str {
        match self {
            Step::Open => "cannot be opened",
            Step::Format => "does not take the format",
            Step::Buffers => "gives no buffers",
            Step::Start => "does not begin to send",
            Step::Frame => "gives no frame",
        }
    }
}

/// What failed and what to do. `users` are the programs that have the device open, as far as they can be seen.
pub(super) fn failure(step: Step, error: &io::Error, users: &[String]) -> String {
    let cannot = step.cannot();
    let Some(errno) = error.raw_os_error().map(Errno::from_raw_os_error) else {
        return format!("{cannot}: {error}");
    };
    let (what, remedy) = match errno {
        Errno::NOSPC => (
            "no bandwidth is left for it on its USB bus",
            "take `camera.format: mjpeg`, a smaller picture or a lower `camera.rate`, or connect it to another USB controller (`lsusb -t`)",
        ),
        Errno::BUSY => ("another program uses it", "close that program"),
        Errno::NODEV | Errno::NXIO | Errno::SHUTDOWN => {
            ("it is not there any more", "look at its cable, its hub and its power")
        }
        Errno::NOENT => ("it is not there", "`castgate camera list` shows what there is"),
        Errno::IO | Errno::TIMEDOUT => (
            "the camera does not answer",
            "look at its cable, its hub and the power of its port; unplug it for a moment",
        ),
        Errno::PROTO | Errno::ILSEQ | Errno::OVERFLOW | Errno::COMM => {
            ("what comes over its cable is damaged", "take a shorter cable or another port, and no hub")
        }
        Errno::PIPE | Errno::NOLINK => (
            "a USB camera has stumbled, or the units of a board's own camera are not linked or not set to the same format",
            "unplug a USB camera for a moment; for a board's own look at `media-ctl -p`",
        ),
        Errno::INVAL | Errno::RANGE => (
            "its driver refuses format, size and rate as they are",
            "choose such as `castgate camera show` lists",
        ),
        Errno::NOMEM => (
            "the kernel has no memory for its pictures",
            "choose a smaller `camera.width` and `camera.height`",
        ),
        Errno::NOTTY | Errno::OPNOTSUPP => {
            ("its driver does not know how", "choose another device: `castgate camera list` shows them")
        }
        Errno::ACCESS => ("castgate may not use it", "add the user that runs castgate to the group `video`"),
        // What systemd keeps from a service.
        Errno::PERM => (
            "the service may not use it",
            "allow the service this device: `DeviceAllow=` in castgate.service",
        ),
        _ => ("", "the kernel's log says more (`dmesg`)"),
    };
    let colon = if what.is_empty() { "" } else { ": " };
    let by = match users {
        [] => String::new(),
        users if errno == Errno::BUSY => format!(", {}", users.join(" and ")),
        _ => String::new(),
    };
    format!("{cannot}{colon}{what}{by} ({error}); {remedy}")
}

/// Why a device with these capabilities gives castgate no pictures, and what to do; `None` when it gives them. `pictures` is the device
/// of the same camera that carries its pictures, where one is known.
pub(super) fn refusal(caps: Flags, pictures: Option<&str>) -> Option<String> {
    let has = |flags: Flags| caps.intersects(flags);
    if caps.contains(Flags::VIDEO_CAPTURE | Flags::STREAMING) {
        return None;
    }
    let told = if has(Flags::VIDEO_M2M | Flags::VIDEO_M2M_MPLANE) {
        "is no camera but converts pictures (a codec or a scaler); choose another device: `castgate camera list` shows them".to_owned()
    } else if has(Flags::VIDEO_CAPTURE) {
        "hands out pictures only by read(), which castgate does not use; choose another camera".to_owned()
    } else if has(Flags::VIDEO_CAPTURE_MPLANE) {
        "has the multi-planar interface only (V4L2_CAP_VIDEO_CAPTURE_MPLANE), which castgate cannot capture from: take a USB camera, or \
         hand its pictures on to a loopback device (`modprobe v4l2loopback`, then `gst-launch-1.0 v4l2src ! videoconvert ! \
         video/x-raw,format=GRAY8 ! v4l2sink`, each with its device) and give that as `camera.device`"
            .to_owned()
    } else if has(Flags::META_CAPTURE | Flags::META_OUTPUT) {
        let one = pictures.map_or_else(
            || "the same camera's first device, which `castgate camera list` shows".to_owned(),
            str::to_owned,
        );
        format!("carries a camera's metadata and no pictures; take {one}")
    } else if has(Flags::VIDEO_OUTPUT | Flags::VIDEO_OUTPUT_MPLANE) {
        "takes pictures and gives none: an output, or a loopback device that nothing feeds; start what feeds it, or choose another device"
            .to_owned()
    } else {
        "takes no pictures (a radio, a touch screen or the like); choose another device: `castgate camera list` shows them".to_owned()
    };
    Some(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(step: Step, errno: Errno) -> String {
        failure(step, &io::Error::from_raw_os_error(errno.raw_os_error()), &[])
    }

    #[test]
    fn every_error_of_a_stream_that_does_not_begin_names_cause_and_remedy() {
        let lines = [
            Errno::NOSPC,
            Errno::BUSY,
            Errno::NODEV,
            Errno::IO,
            Errno::PROTO,
            Errno::PIPE,
            Errno::INVAL,
            Errno::NOMEM,
            Errno::NOTTY,
            Errno::DOM,
        ]
        .map(|errno| told(Step::Start, errno) + "\n");
        assert_eq!(lines.concat(), include_str!("../../../tests/data/golden/camera_errors.txt"));
    }

    #[test]
    fn other_steps_say_what_they_could_not_do_and_who_has_the_camera() {
        assert!(
            told(Step::Open, Errno::ACCESS)
                .ends_with("; add the user that runs castgate to the group `video`")
        );
        assert!(told(Step::Open, Errno::PERM).contains("`DeviceAllow=` in castgate.service"));
        assert!(told(Step::Frame, Errno::NODEV).starts_with("gives no frame: it is not there any more ("));
        let busy = io::Error::from_raw_os_error(Errno::BUSY.raw_os_error());
        let users = ["ffmpeg (process 12)".to_owned(), "cheese (process 9)".to_owned()];
        let told = failure(Step::Buffers, &busy, &users);
        let wanted =
            "gives no buffers: another program uses it, ffmpeg (process 12) and cheese (process 9) (";
        assert!(told.starts_with(wanted), "{told}");
        assert_eq!(failure(Step::Start, &io::Error::other("odd"), &users), "does not begin to send: odd");
    }

    #[test]
    fn a_device_that_gives_no_pictures_is_said_what_it_is() {
        let s = Flags::STREAMING;
        let lines = [
            s | Flags::VIDEO_CAPTURE_MPLANE,
            s | Flags::META_CAPTURE,
            s | Flags::VIDEO_M2M_MPLANE | Flags::VIDEO_CAPTURE_MPLANE,
            s | Flags::VIDEO_OUTPUT,
            Flags::VIDEO_CAPTURE | Flags::READ_WRITE,
            Flags::TUNER | Flags::RADIO,
            Flags::empty(),
        ]
        .map(|caps| refusal(caps, None).unwrap_or_default() + "\n");
        assert_eq!(lines.concat(), include_str!("../../../tests/data/golden/camera_devices.txt"));
        assert_eq!(refusal(s | Flags::VIDEO_CAPTURE | Flags::META_CAPTURE, None), None);
        let metadata = refusal(s | Flags::META_CAPTURE, Some("/dev/video0")).unwrap();
        assert_eq!(metadata, "carries a camera's metadata and no pictures; take /dev/video0");
    }
}
