//! Judges single pictures from files by the very code that inspects on the line.

use std::path::Path;
use std::sync::Arc;

use crate::camera::picture::read_picture;
use crate::clock::{Clock, SystemClock};
use crate::config::manifest::Input;
use crate::decide::Policy;
use crate::frame::Frame;
use crate::model::{self, Classifier};
use crate::score::row::Answer;
use crate::verdict::{Reason, Score, Verdict};
use crate::vision::{Framing, Inspection, Preprocessor};

/// One picture at a time: file, preprocessing, model, verdict.
pub(crate) struct Judge {
    model: Box<dyn Classifier>,
    preprocessor: Preprocessor,
    policy: Policy,
    clock: Arc<dyn Clock>,
    frame: Frame,
    seen: Inspection,
}

/// What [`Judge::judge`] found.
pub(crate) struct Judged {
    pub answer: Answer,
    pub verdict: Verdict,
    /// Sharpness of what the model saw, in grey levels; see `preprocess.min_sharpness`.
    pub sharpness: Option<f32>,
    /// How unlike the pictures of training it is, 1 at the limit, where the model knows that.
    pub unlike: Option<f32>,
    /// Seconds for reading and decoding, preprocessing, and the model.
    pub seconds: [f64; 3],
}

impl Judged {
    /// A picture that did not get as far as the model; `why` says what is wrong with it.
    pub(crate) fn unusable(why: String) -> Self {
        let verdict = Verdict::Reject(Reason::BadImage);
        Self { answer: Answer::Fault(why), verdict, sharpness: None, unlike: None, seconds: [0.0; 3] }
    }
}

impl Judge {
    pub(crate) fn new(model: &Path, threshold: Option<f32>) -> anyhow::Result<Self> {
        let model = model::open(model)?;
        let info = model.info();
        let policy = Policy { threshold: threshold.unwrap_or(info.threshold), unsure: info.unsure };
        let preprocessor = Preprocessor::for_pictures(model.input());
        let clock = Arc::new(SystemClock);
        Ok(Self { model, preprocessor, policy, clock, frame: Frame::default(), seen: Inspection::default() })
    }

    pub(crate) fn info(&self) -> &model::ModelInfo {
        self.model.info()
    }

    /// By which clock it takes the time.
    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    pub(crate) fn policy(&self) -> Policy {
        self.policy
    }

    /// How the picture that was judged last lies in what the model saw.
    pub(crate) fn framing(&self) -> Framing {
        *self.preprocessor.framing()
    }

    /// What the model takes.
    pub(crate) fn input(&self) -> &Input {
        self.model.input()
    }

    /// What the line would say of the last picture: nothing that was found before the model was asked is forgotten.
    fn verdict(&self, score: Score) -> Verdict {
        match self.seen.sightings.first().and_then(|sighting| sighting.answer) {
            Some(Err(reason)) => Verdict::Reject(reason),
            _ => self.policy.verdict(score),
        }
    }

    /// The picture file that was judged last, and what the model was given of it; nothing when it did not get that far.
    pub(crate) fn last(&self) -> (&Frame, &[f32]) {
        (&self.frame, &self.seen.tensors)
    }

    /// Judges the picture in a file; an error says why it cannot be read.
    pub(crate) fn judge(&mut self, path: &Path) -> Result<Judged, String> {
        let begin = self.clock.now();
        let mut frame = std::mem::take(&mut self.frame);
        let read = read_picture(path, &mut frame).map_err(|error| error.to_string());
        let seconds = self.clock.now().seconds_since(begin);
        let judged = read.map(|()| self.judge_frame(&frame));
        self.frame = frame;
        let mut judged = judged?;
        judged.seconds[0] = seconds;
        Ok(judged)
    }

    /// Judges a picture in memory; its time for reading is 0.
    pub(crate) fn judge_frame(&mut self, frame: &Frame) -> Judged {
        let read = self.clock.now();
        self.preprocessor.apply(frame, &mut self.seen);
        let prepared = self.clock.now();
        let (answer, verdict) = match self.seen.unusable {
            Some(reason) => {
                let why = self.preprocessor.trouble().map(|why| why.to_string());
                (Answer::Fault(why.unwrap_or_else(|| reason.name().to_owned())), Verdict::Reject(reason))
            }
            None => match self.model.score(&self.seen.tensors) {
                Ok(score) => (Answer::Score(score), self.verdict(score)),
                Err(fault) => (Answer::Fault(fault.to_string()), Verdict::Reject(Reason::ModelFault)),
            },
        };
        let end = self.clock.now();
        let seconds = [0.0, prepared.seconds_since(read), end.seconds_since(prepared)];
        let first = self.seen.sightings.first();
        let (sharpness, unlike) = (first.map(|seen| seen.sharpness), first.and_then(|seen| seen.unlike));
        Judged { answer, verdict, sharpness, unlike, seconds }
    }
}
