//! Standard output for commands that drive a gate: what they print never keeps them waiting.
//!
//! A terminal or pipe that stands still loses lines, counted. Must not know what is printed.

use std::io;
use std::time::Duration;

use crossbeam_channel::{Sender, bounded};

use super::print;
use crate::service::outlet::{Drain, Outlet, Patience};

/// Texts that wait for standard output.
const ROOM: usize = 1024;
/// Time that standard output has at the end for what is left; much less where nobody takes anything.
const END: Patience = Patience { all: Duration::from_secs(2), still: Duration::from_millis(200) };

/// A text, and who wants to know whether it was printed.
type Text = (String, Option<Sender<anyhow::Result<()>>>);

/// Hands texts to the thread `console`, which prints them.
#[derive(Debug, Clone)]
pub(super) struct Printer(Outlet<Text>);

impl Printer {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system gives none.
    pub(super) fn start() -> io::Result<Self> {
        Self::to(print)
    }

    fn to(print: impl Fn(&str) -> anyhow::Result<()> + Send + 'static) -> io::Result<Self> {
        Outlet::start("console", ROOM, Console { print, closed: false }).map(Self)
    }

    /// Has a text printed, if there is room for it.
    pub(super) fn print(&self, text: String) {
        self.0.offer((text, None), 0);
    }

    /// Has the last text printed. Whoever reads it has two seconds to take what is left; a reader that stands still is left alone with what it
    /// has after a fifth of one.
    ///
    /// # Errors
    /// When it cannot be printed.
    pub(super) fn finish(self, text: String) -> anyhow::Result<()> {
        let (sender, printed) = bounded(1);
        if self.0.put((text, Some(sender)), Some(END)) {
            self.0.flush(Some(END));
        }
        printed.try_recv().unwrap_or(Ok(()))
    }
}

struct Console<P> {
    print: P,
    /// A reader that went away is not told more, but for the end, whose failure somebody wants to know.
    closed: bool,
}

impl<P: Fn(&str) -> anyhow::Result<()> + Send> Drain<Text> for Console<P> {
    fn write(&mut self, (text, told): Text) {
        if self.closed && told.is_none() {
            return;
        }
        let printed = (self.print)(&text);
        self.closed |= printed.is_err();
        if let Some(told) = told {
            // Whoever asked may have given up.
            let _ = told.try_send(printed);
        }
    }

    fn lost(&mut self, count: u64) {
        self.write((format!("({count} lines were not shown)\n"), None));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[test]
    fn the_end_waits_for_everything_before_it() {
        let printed = Arc::<Mutex<String>>::default();
        let shown = printed.clone();
        let printer = Printer::to(move |text| {
            shown.lock().unwrap().push_str(text);
            Ok(())
        })
        .unwrap();
        (0..10).for_each(|n| printer.print(format!("{n} ")));
        printer.finish("end".to_owned()).unwrap();
        assert_eq!(*printed.lock().unwrap(), "0 1 2 3 4 5 6 7 8 9 end");
    }

    #[test]
    fn a_reader_that_stands_still_keeps_nobody_and_one_that_went_away_is_told_of() {
        let still = Printer::to(|_| crossbeam_channel::never::<anyhow::Result<()>>().recv()?).unwrap();
        (0..5000).for_each(|n| still.print(n.to_string()));
        still.finish("end".to_owned()).unwrap();
        for kind in [io::ErrorKind::BrokenPipe, io::ErrorKind::StorageFull] {
            let gone = Printer::to(move |_| Err(io::Error::from(kind).into())).unwrap();
            gone.print("line".to_owned());
            let why = gone.finish("end".to_owned()).unwrap_err();
            assert_eq!(why.downcast::<io::Error>().unwrap().kind(), kind);
        }
    }
}
