//! The camera's thread and watch, with cameras that are made up.

use super::*;
use crate::clock::SystemClock;
use crossbeam_channel::unbounded;
use grab::{Stream, Taken};

/// What a made-up camera does next.
enum Act {
    Frame(u8),
    Bad,
    Fail,
    Panic,
    Hang(Receiver<()>),
}

struct Fake(Receiver<Act>);

impl Stream for Fake {
    fn next(&mut self, frame: &mut Frame) -> Result<Taken, String> {
        match self.0.recv_timeout(Duration::from_millis(1)) {
            Ok(Act::Frame(level)) => {
                (frame.width, frame.height) = (2, 1);
                frame.pixels = vec![level; 2];
                Ok(Taken::Frame { sequence: 0 })
            }
            Ok(Act::Bad) => Ok(Taken::Unusable { why: "it is no JPEG".into(), sequence: 0 }),
            Ok(Act::Fail) => Err("the camera was unplugged".into()),
            Ok(Act::Panic) => std::panic::panic_any("made up"),
            Ok(Act::Hang(until)) => {
                let _ = until.recv();
                Ok(Taken::Nothing)
            }
            Err(_) => Ok(Taken::Nothing),
        }
    }
}

/// The camera, the way to tell it what to do, and a count of how often it was opened.
fn camera(lost_after: Duration) -> (V4lCamera, Sender<Act>, Receiver<()>) {
    let (acts, to_act) = unbounded();
    let (opened, openings) = unbounded();
    let opener: Opener = Box::new(move || {
        let _ = opened.send(());
        let facts = Facts {
            summary: "made-up camera".into(),
            differences: Vec::new(),
            rate: Some(Rate::per_s(20.0)),
        };
        Ok((Box::new(Fake(to_act.clone())), facts))
    });
    (V4lCamera::start(opener, lost_after, Arc::new(SystemClock)).unwrap(), acts, openings)
}

/// Steps until something other than nothing is captured.
fn captured(camera: &mut V4lCamera, frame: &mut Frame) -> Captured {
    loop {
        match camera.next(Time::ZERO, frame).unwrap() {
            Captured::Nothing => {}
            captured => return captured,
        }
    }
}

const LONG: Duration = Duration::from_secs(60);

#[test]
fn frames_and_what_is_none_are_handed_on_in_order() {
    let (mut camera, acts, _) = camera(LONG);
    let mut frame = Frame::default();
    acts.send(Act::Frame(7)).unwrap();
    assert_eq!(captured(&mut camera, &mut frame), Captured::Frame);
    assert_eq!(frame.pixels, [7, 7]);
    // No more at once than wait in the queue: what comes beyond is dropped, as with a live camera.
    [Act::Bad, Act::Bad, Act::Frame(8)].into_iter().for_each(|act| acts.send(act).unwrap());
    let told = |why: Option<&str>| Captured::Damaged { why: why.map(str::to_owned) };
    assert_eq!(captured(&mut camera, &mut frame), told(Some("it is no JPEG")));
    assert_eq!(captured(&mut camera, &mut frame), told(None), "a second bad frame is not told anew");
    assert_eq!(captured(&mut camera, &mut frame), Captured::Frame);
    assert_eq!(frame.pixels, [8, 8]);
}

#[test]
fn a_camera_that_fails_or_panics_is_opened_again() {
    let (mut camera, acts, openings) = camera(LONG);
    let mut frame = Frame::default();
    for (round, act) in [Act::Fail, Act::Panic].into_iter().enumerate() {
        acts.send(act).unwrap();
        acts.send(Act::Frame(round as u8)).unwrap();
        assert_eq!(captured(&mut camera, &mut frame), Captured::Frame);
    }
    assert_eq!(openings.len(), 3);
}

#[test]
fn a_frozen_camera_is_opened_again() {
    let (mut camera, acts, openings) = camera(Duration::ZERO);
    let mut frame = Frame::default();
    while openings.len() < 2 {
        acts.send(Act::Frame(1)).unwrap();
        let _ = camera.next(Time::ZERO, &mut frame).unwrap();
    }
}

#[test]
fn a_driver_that_hangs_holds_nobody_up() {
    let (mut camera, acts, _) = camera(LONG);
    let (release, until) = bounded(0);
    acts.send(Act::Hang(until)).unwrap();
    let mut frame = Frame::default();
    for _ in 0..3 {
        assert_eq!(camera.next(Time::ZERO, &mut frame).unwrap(), Captured::Nothing);
    }
    drop(camera);
    drop(release);
}
