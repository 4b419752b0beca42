//! Pictures of parts from the line's camera, each saved under its label.
//!
//! Owns which frame of a part is kept and where labels come from. Must not know training.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use crossbeam_channel::Receiver;

use super::super::say;
use super::follow::{Follow, Picture};
use crate::album::layout::{DEFECT, OK};
use crate::camera::{Captured, FrameSource};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::config::manifest::Input;
use crate::frame::Frame;
use crate::lab::UsageError;
use crate::lab::files::{LARGEST_LIST, write_png};
use crate::lab::tell::Tell;
use crate::printable::Printable as _;
use crate::regular;
use crate::verdict::Truth;
use crate::vision::{Inspection, Preprocessor};

/// Longest wait for a frame before stop and keys are looked at.
const LONGEST_WAIT: Duration = Duration::from_millis(100);

/// Where labels come from.
pub(super) enum Labels {
    /// Every part that comes is of this kind.
    All(Truth),
    /// What somebody types.
    Keys(Receiver<Key>),
    /// The subfolders of the folder camera.
    Folders,
    /// A file with names of pictures.
    File(HashMap<String, Truth>),
}

/// The label that a word is: `ok` or `defect`.
pub fn label(word: &str) -> Option<Truth> {
    match word {
        "ok" => Some(Truth::Ok),
        "defect" => Some(Truth::Defect),
        _ => None,
    }
}

impl Labels {
    /// Reads `file,label` lines, such as `part-1.png,defect`; a line of names, empty ones and those that begin with `#` are skipped.
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = regular::read_text(path, LARGEST_LIST)
            .map_err(|error| UsageError(format!("--labels: cannot read {}: {error}", path.shown())))?;
        let mut labels = HashMap::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') || line == "file,label" {
                continue;
            }
            let fields = line.rsplit_once(',');
            let truth = fields.and_then(|(file, word)| Some((file.trim().to_owned(), label(word.trim())?)));
            let (file, truth) = truth.ok_or_else(|| {
                UsageError(format!(
                    "--labels {}:{}: {line:?} is not FILE,ok or FILE,defect",
                    path.shown(),
                    number + 1
                ))
            })?;
            labels.insert(file, truth);
        }
        Ok(Self::File(labels))
    }

    fn of(&self, picture: &Picture) -> Option<Truth> {
        match self {
            Self::All(truth) => Some(*truth),
            Self::Keys(_) => None,
            Self::Folders => picture.origin.as_ref()?.truth,
            Self::File(labels) => labels.get(&picture.origin.as_ref()?.name).copied(),
        }
    }
}

/// What was typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// The label of the part.
    Is(Truth),
    /// The part is not kept.
    Neither,
    /// The last one that was kept is removed.
    Undo,
    /// No more parts.
    Done,
}

impl Key {
    /// By its first letter or the whole word; `None` for anything else.
    pub fn of(line: &str) -> Option<Self> {
        match line.trim().to_ascii_lowercase().as_str() {
            "o" | "ok" => Some(Self::Is(Truth::Ok)),
            "d" | "defect" => Some(Self::Is(Truth::Defect)),
            "s" => Some(Self::Neither),
            "u" => Some(Self::Undo),
            "q" => Some(Self::Done),
            _ => None,
        }
    }
}

/// What was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Taken {
    pub(super) ok: usize,
    pub(super) defective: usize,
    /// Parts that no label was known for.
    pub(super) unknown: usize,
}

/// The folders of the pictures, and the number of the next one.
struct Album<'a> {
    data: &'a Path,
    next: usize,
    saved: Vec<(PathBuf, Truth)>,
    unknown: usize,
    tell: Tell<'a>,
}

impl<'a> Album<'a> {
    fn open(data: &'a Path, tell: Tell<'a>) -> anyhow::Result<Self> {
        let mut next = 1;
        for folder in [OK, DEFECT].map(|name| data.join(name)) {
            std::fs::create_dir_all(&folder)
                .with_context(|| format!("cannot make the folder {}", folder.shown()))?;
            let entries =
                std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.shown()))?;
            for name in entries.filter_map(|entry| Some(entry.ok()?.file_name())) {
                let number = name.to_str().and_then(|name| name.strip_prefix("part-")?.strip_suffix(".png"));
                next =
                    next.max(number.and_then(|text| text.parse().ok()).map_or(1, |number: usize| number + 1));
            }
        }
        Ok(Self { data, next, saved: Vec::new(), unknown: 0, tell })
    }

    fn save(&mut self, frame: &Frame, truth: Truth) -> anyhow::Result<()> {
        let folder = if truth == Truth::Defect { DEFECT } else { OK };
        let path = self.data.join(folder).join(format!("part-{:05}.png", self.next));
        write_png(&path, frame)?;
        say(
            self.tell,
            &format!("{} {}", if truth == Truth::Defect { "defective" } else { "good     " }, path.shown()),
        );
        self.next += 1;
        self.saved.push((path, truth));
        Ok(())
    }

    fn undo(&mut self) -> anyhow::Result<()> {
        let Some((path, _)) = self.saved.pop() else {
            say(self.tell, "nothing to undo");
            return Ok(());
        };
        std::fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.shown()))?;
        say(self.tell, &format!("removed   {}", path.shown()));
        Ok(())
    }

    fn taken(&self) -> Taken {
        let defective = self.saved.iter().filter(|(_, truth)| *truth == Truth::Defect).count();
        Taken { ok: self.saved.len() - defective, defective, unknown: self.unknown }
    }
}

/// Takes a picture of every part with a label, until `most` are saved, the camera or whoever types ends it, or `stop` is set.
///
/// # Errors
/// When the camera cannot be used, or a picture cannot be saved.
pub(super) fn capture(
    camera: impl Fn(&Arc<dyn Clock>) -> anyhow::Result<Box<dyn FrameSource>>,
    (config, input): (&Config, &Input),
    labels: &Labels,
    (most, data): (Option<usize>, &Path),
    (stop, tell): (&AtomicBool, Tell<'_>),
) -> anyhow::Result<Taken> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let mut session = Session {
        camera: camera(&clock)?,
        preprocessor: Preprocessor::for_line(config, input),
        follow: Follow::new(config),
        frame: Frame::default(),
        seen: Inspection::default(),
        ended: false,
        tell,
    };
    let mut album = Album::open(data, tell)?;
    let full = |album: &Album<'_>| most.is_some_and(|most| album.saved.len() >= most);
    while !full(&album) && !stop.load(Ordering::Relaxed) {
        let goes_on = match labels {
            Labels::Keys(keys) if session.camera.waits() => one_by_one(&mut session, &mut album, keys, stop)?,
            Labels::Keys(keys) => as_it_comes(&mut session, &mut album, keys)?,
            _ => by_themselves(&mut session, &mut album, labels)?,
        };
        if !goes_on {
            break;
        }
    }
    Ok(album.taken())
}

/// Labels that need nobody: every part that has been in view is saved.
fn by_themselves(session: &mut Session<'_>, album: &mut Album<'_>, labels: &Labels) -> anyhow::Result<bool> {
    let Some(part) = session.next()? else { return Ok(!session.ended) };
    match labels.of(&part) {
        Some(truth) => album.save(&part.frame, truth)?,
        None => album.unknown += 1,
    }
    Ok(true)
}

/// A camera that waits: the next part is shown when the one before has got its label.
fn one_by_one(
    session: &mut Session<'_>,
    album: &mut Album<'_>,
    keys: &Receiver<Key>,
    stop: &AtomicBool,
) -> anyhow::Result<bool> {
    let Some(part) = session.next()? else { return Ok(!session.ended) };
    if let Some(origin) = &part.origin {
        say(session.tell, &format!("          {}", origin.name));
    }
    while !stop.load(Ordering::Relaxed) {
        match keys.recv_timeout(LONGEST_WAIT) {
            Ok(Key::Is(truth)) => {
                album.save(&part.frame, truth)?;
                return Ok(true);
            }
            Ok(Key::Neither) => return Ok(true),
            Ok(Key::Undo) => album.undo()?,
            Ok(Key::Done) => return Ok(false),
            Err(_) => {}
        }
    }
    Ok(false)
}

/// A live camera: a label is for the part that is in view when it is typed.
fn as_it_comes(
    session: &mut Session<'_>,
    album: &mut Album<'_>,
    keys: &Receiver<Key>,
) -> anyhow::Result<bool> {
    session.look()?;
    if session.ended {
        return Ok(false);
    }
    for key in keys.try_iter() {
        match key {
            Key::Is(truth) => match session.follow.in_view(&session.preprocessor, &session.seen) {
                Some(part) => album.save(&part.frame, truth)?,
                None => say(
                    session.tell,
                    "no part is wholly in view, sharp and well lit: put one into the middle and type again",
                ),
            },
            Key::Neither => {}
            Key::Undo => album.undo()?,
            Key::Done => return Ok(false),
        }
    }
    Ok(true)
}

/// A camera that is watched for parts.
struct Session<'a> {
    camera: Box<dyn FrameSource>,
    preprocessor: Preprocessor,
    follow: Follow,
    frame: Frame,
    seen: Inspection,
    ended: bool,
    tell: Tell<'a>,
}

impl Session<'_> {
    /// Looks at one frame, if one is due soon: `seen` is what is in it.
    fn look(&mut self) -> anyhow::Result<bool> {
        let now = SystemClock.now();
        if let Some(due) = self.camera.due().filter(|due| *due > now) {
            SystemClock.sleep_until(due.min(now + LONGEST_WAIT));
            if due > SystemClock.now() {
                return Ok(false);
            }
        }
        match self.camera.next(SystemClock.now(), &mut self.frame)? {
            Captured::Frame => {
                self.preprocessor.apply(&self.frame, &mut self.seen);
                return Ok(true);
            }
            Captured::Unusable { name, why } => say(self.tell, &format!("skipped   {name}: {why}")),
            Captured::Damaged { why: Some(why) } => {
                say(self.tell, &format!("skipped   a frame of the camera: {why}"))
            }
            Captured::Damaged { why: None } | Captured::Nothing => {}
            Captured::End => self.ended = true,
        }
        Ok(false)
    }

    /// A part that has been in view, after the next frame or at the end.
    fn next(&mut self) -> anyhow::Result<Option<Picture>> {
        if self.look()? {
            return Ok(self.follow.see(&self.preprocessor, &self.seen));
        }
        Ok(if self.ended { self.follow.end() } else { None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_labels_are_read_and_anything_else_is_refused() {
        assert_eq!(Key::of(" O\n"), Some(Key::Is(Truth::Ok)));
        assert_eq!(["defect", "s", "u", "q"].map(|line| Key::of(line).is_some()), [true; 4]);
        assert_eq!(Key::of("x"), None);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("labels.csv");
        std::fs::write(&path, "file,label\n# old ones\na,b.png,ok\n\nc.png, defect\n").unwrap();
        let Labels::File(labels) = Labels::read(&path).unwrap() else { panic!("a file gives names") };
        assert_eq!((labels["a,b.png"], labels["c.png"]), (Truth::Ok, Truth::Defect));
        std::fs::write(&path, "a.png,ok\nb.png,maybe\n").unwrap();
        let error = Labels::read(&path).err().unwrap().to_string();
        assert!(error.contains("labels.csv:2: \"b.png,maybe\" is not FILE,ok"), "{error}");
        assert!(Labels::read(&dir.path().join("no")).err().unwrap().to_string().contains("cannot read"));
    }

    #[test]
    fn pictures_are_numbered_on_from_those_that_are_there_and_the_last_can_be_undone() {
        let dir = tempfile::tempdir().unwrap();
        let frame = Frame { width: 2, height: 2, pixels: vec![7; 4], ..Frame::default() };
        let mut album = Album::open(dir.path(), &|_| {}).unwrap();
        album.save(&frame, Truth::Ok).unwrap();
        album.save(&frame, Truth::Defect).unwrap();
        album.undo().unwrap();
        assert_eq!(album.taken(), Taken { ok: 1, defective: 0, unknown: 0 });
        std::fs::write(dir.path().join("def_front/part-00041.png"), b"x").unwrap();
        let mut album = Album::open(dir.path(), &|_| {}).unwrap();
        album.save(&frame, Truth::Defect).unwrap();
        assert!(dir.path().join("def_front/part-00042.png").exists());
        assert!(!dir.path().join("def_front/part-00002.png").exists());
    }
}
