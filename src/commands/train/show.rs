//! Shows how training goes: a bar with the time left on a terminal, one line an epoch elsewhere.

use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressStyle};

use crate::clock::{Clock, SystemClock, Time};
use crate::commands::exit;
use crate::commands::{print, progress};
use crate::lab::tell::Event;
use crate::train::fit::EpochReport;
use crate::train::step::StepReport;

/// Weight of the newest step in the loss and accuracy that the bar shows.
const NEWEST: f64 = 0.05;

/// Shows what a training tells; one for each command.
pub(super) fn teller() -> impl Fn(Event<'_>) + Sync {
    let (show, others) = (Mutex::new(None), progress::teller());
    move |event| {
        let mut show = show.lock().unwrap_or_else(PoisonError::into_inner);
        match (event, &mut *show) {
            (Event::Line(text), _) => say(text),
            (Event::Learning { epochs, done, steps }, show) => *show = Some(Show::new(epochs, done, steps)),
            (Event::Step(report), Some(show)) => show.step(report),
            (Event::Epoch(report), Some(show)) => show.epoch(report),
            (Event::Learnt, Some(show)) => show.end(),
            _ => others(event),
        }
    }
}

/// A line on standard output. A reader that went away (`| head`) must not cost the model that was trained for hours.
pub(super) fn say(line: &str) {
    let _ = print(&format!("{line}\n"));
}

struct Show {
    bar: Option<ProgressBar>,
    epochs: u32,
    epoch: u32,
    /// Smoothed loss and accuracy.
    recent: Option<(f64, f64)>,
    started: Time,
    pictures: usize,
}

impl Show {
    /// For a run of `epochs` epochs of `steps` steps, of which `done` epochs are done.
    fn new(epochs: u32, done: u32, steps: usize) -> Self {
        let left = u64::from(epochs.saturating_sub(done)) * steps as u64;
        let style = "{bar:30} {msg}, {eta} left";
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(left);
            if let Ok(style) = ProgressStyle::with_template(style) {
                bar.set_style(style);
            }
            bar
        });
        Self { bar, epochs, epoch: done, recent: None, started: SystemClock.now(), pictures: 0 }
    }

    fn step(&mut self, report: StepReport) {
        let count = report.pictures.max(1) as f64;
        let now = (report.loss / count, report.right as f64 / count);
        let (loss, accuracy) = self.recent.map_or(now, |(loss, accuracy)| {
            (loss + (now.0 - loss) * NEWEST, accuracy + (now.1 - accuracy) * NEWEST)
        });
        self.recent = Some((loss, accuracy));
        self.pictures += report.pictures;
        if let Some(bar) = &self.bar {
            let (epoch, epochs) = (self.epoch + 1, self.epochs);
            bar.set_message(format!("epoch {epoch}/{epochs}, loss {loss:.4}, accuracy {accuracy:.3}"));
            bar.inc(1);
        }
    }

    fn epoch(&mut self, report: &EpochReport) {
        self.epoch = report.epoch;
        let quality = &report.validation;
        let line = format!(
            "epoch {:>3}/{}  loss {:.4}  accuracy {:.4} | validation loss {:.4}  accuracy {:.4}  auc {:.5}  escapes {}  false rejects {}{}",
            report.epoch,
            self.epochs,
            report.loss,
            report.accuracy,
            quality.loss,
            quality.accuracy,
            quality.auc,
            quality.escapes,
            quality.false_rejects,
            if report.best { "  best" } else { "" }
        );
        match &self.bar {
            Some(bar) => bar.println(line),
            None => exit::note(&line),
        }
    }

    fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        let seconds = SystemClock.now().seconds_since(self.started);
        if self.pictures > 0 {
            let rate = self.pictures as f64 / seconds.max(1e-9);
            say(&format!("trained   {seconds:.0} s, {rate:.0} pictures a second (validation included)"));
        }
    }
}
