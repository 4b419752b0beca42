//! What every stage's loop is given.

use std::sync::Arc;

use crossbeam_channel::Receiver;

use super::counters::Counters;
use super::vitals::Vitals;
use crate::clock::Clock;

/// Clock, stop, counters and signs of life.
#[derive(Clone)]
pub(super) struct Common {
    pub clock: Arc<dyn Clock>,
    pub stop: Receiver<()>,
    pub counters: Arc<Counters>,
    pub vitals: Vitals,
}
