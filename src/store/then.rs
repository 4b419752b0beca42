//! What waits for a history to be on the disk.

use std::fmt;

/// Done once a history is on the disk, or cannot come there now: in any case once.
pub struct Then(Option<Box<dyn FnOnce() + Send>>);

impl Then {
    /// `act` runs on the store's thread, or on that of who handed the history over, and must return at once.
    pub fn new(act: impl FnOnce() + Send + 'static) -> Self {
        Self(Some(Box::new(act)))
    }

    /// Does it, unless it is done.
    pub(super) fn act(&mut self) {
        if let Some(act) = self.0.take() {
            act();
        }
    }
}

impl Drop for Then {
    fn drop(&mut self) {
        self.act();
    }
}

impl fmt::Debug for Then {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Then(to be done)" } else { "Then(done)" })
    }
}
