//! Whether a camera is well: told of each frame, each silence and each failure, it says when the camera is lost, and when it is back.
//!
//! Pure: knows times, no devices.

use std::time::Duration;

use crate::clock::Time;

/// What the watch concludes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Watched {
    /// Nothing to tell.
    Well,
    /// The camera is lost from now on.
    Lost { why: String },
    /// It is still lost, for another reason.
    Changed { why: String },
    /// It is well again.
    Back { after: Duration },
    /// It is open and of no use: close it and open it again.
    OpenAgain,
}

/// Follows one camera.
#[derive(Debug)]
pub(super) struct Watch {
    lost_after: Duration,
    /// The last frame of use, at first the begin.
    good: Time,
    /// When the camera was last opened or asked to be.
    opened: Time,
    /// Whether it is open, as far as is known.
    open: bool,
    /// Why it is lost, while it is.
    lost: Option<String>,
    /// The newest trouble.
    trouble: Option<String>,
}

impl Watch {
    pub(super) fn new(now: Time, lost_after: Duration) -> Self {
        Self { lost_after, good: now, opened: now, open: false, lost: None, trouble: None }
    }

    /// It was opened.
    pub(super) fn opened(&mut self, now: Time) {
        (self.opened, self.open, self.trouble) = (now, true, None);
    }

    /// A frame of use came.
    pub(super) fn good(&mut self, now: Time) -> Watched {
        let after = now - self.good;
        (self.good, self.trouble) = (now, None);
        if self.lost.take().is_some() { Watched::Back { after } } else { Watched::Well }
    }

    /// Something came that is of no use.
    pub(super) fn poor(&mut self, why: &str, now: Time) -> Watched {
        self.trouble = Some(why.to_owned());
        self.silent(now)
    }

    /// It could not be opened, or failed: it is opened again anyway.
    pub(super) fn failed(&mut self, why: &str) -> Watched {
        self.open = false;
        // A camera that was closed for a reason keeps that reason until opening it fails for another.
        if self.trouble.is_none() || self.lost.is_some() {
            self.trouble = Some(why.to_owned());
        }
        match &self.lost {
            Some(before) if before != why => {
                self.lost = Some(why.to_owned());
                Watched::Changed { why: why.to_owned() }
            }
            Some(_) => Watched::Well,
            None => self.lose(),
        }
    }

    /// Time has gone by.
    pub(super) fn silent(&mut self, now: Time) -> Watched {
        if self.lost.is_none() && now - self.good >= self.lost_after {
            return self.lose();
        }
        // Two chances for a camera that has just been opened, since the first frame takes its time.
        if self.lost.is_some() && self.open && now - self.opened.max(self.good) >= 2 * self.lost_after {
            (self.opened, self.open) = (now, false);
            return Watched::OpenAgain;
        }
        Watched::Well
    }

    fn lose(&mut self) -> Watched {
        let why = self
            .trouble
            .clone()
            .unwrap_or_else(|| format!("no frame came for {:.1} s", self.lost_after.as_secs_f64()));
        self.lost = Some(why.clone());
        Watched::Lost { why }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: f64) -> Time {
        Time::ZERO.plus_s(s)
    }

    fn watch() -> Watch {
        let mut watch = Watch::new(at(0.0), Duration::from_secs(1));
        watch.opened(at(0.1));
        assert_eq!(watch.good(at(0.2)), Watched::Well);
        watch
    }

    #[test]
    fn silence_loses_the_camera_once_and_has_it_opened_again_until_it_is_back() {
        let mut watch = watch();
        assert_eq!(watch.silent(at(1.1)), Watched::Well);
        assert_eq!(watch.silent(at(1.2)), Watched::Lost { why: "no frame came for 1.0 s".into() });
        assert_eq!(watch.silent(at(1.9)), Watched::Well);
        assert_eq!(watch.silent(at(2.2)), Watched::OpenAgain);
        assert_eq!(watch.silent(at(5.0)), Watched::Well, "until it is open again");
        watch.opened(at(5.0));
        assert_eq!(watch.silent(at(6.9)), Watched::Well);
        assert_eq!(watch.silent(at(7.0)), Watched::OpenAgain);
        watch.opened(at(7.1));
        assert_eq!(watch.good(at(7.2)), Watched::Back { after: Duration::from_secs(7) });
        assert_eq!(watch.good(at(7.3)), Watched::Well);
    }

    #[test]
    fn frames_of_no_use_do_not_keep_a_camera() {
        let mut watch = watch();
        assert_eq!(watch.poor("it repeats one picture", at(0.3)), Watched::Well);
        let why = "it repeats one picture".to_owned();
        assert_eq!(watch.poor("it repeats one picture", at(1.2)), Watched::Lost { why });
        assert_eq!(watch.poor("it repeats one picture", at(2.3)), Watched::OpenAgain);
    }

    #[test]
    fn a_failure_loses_it_at_once_and_each_new_reason_is_told_once() {
        let mut watch = watch();
        assert_eq!(watch.failed("unplugged"), Watched::Lost { why: "unplugged".into() });
        assert_eq!(watch.failed("not there"), Watched::Changed { why: "not there".into() });
        assert_eq!(watch.failed("not there"), Watched::Well);
        assert_eq!(watch.silent(at(9.0)), Watched::Well);
        watch.opened(at(9.1));
        assert!(matches!(watch.good(at(9.2)), Watched::Back { .. }));
    }
}
