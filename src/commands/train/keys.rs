//! Labels of parts, typed one a line on standard input.

use std::io::BufRead as _;

use anyhow::Context as _;
use crossbeam_channel::{Receiver, unbounded};

use super::show::say;
use crate::lab::train::teach::Key;

const KEYS: &str = "o: good, d: defective, s: neither, u: undo, q: done (each with Enter)";

/// Begins to read, on a thread that ends with the input or the process. The end of the input is [`Key::Done`].
///
/// # Errors
/// When no thread can be started.
pub(super) fn listen() -> anyhow::Result<Receiver<Key>> {
    let (sender, keys) = unbounded();
    let read = move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            match Key::of(&line) {
                None => say(KEYS),
                Some(key) if sender.send(key).is_err() => return,
                Some(_) => {}
            }
        }
        // Nobody listens any more when it fails.
        let _ = sender.send(Key::Done);
    };
    std::thread::Builder::new().name("keys".to_owned()).spawn(read).context("cannot read keys")?;
    say(KEYS);
    Ok(keys)
}
