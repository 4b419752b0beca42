//! What the line tells the world: each event is published once and goes to every listener.

use std::sync::Arc;
use std::time::Duration;

use crate::decide::PartRecord;
use crate::score::summary::Summary;

/// Something that happened on the line.
#[derive(Debug, Clone)]
pub enum Event {
    /// The line is ready: the model is warm and the gate has left its safe state.
    Ready,
    /// A frame was judged.
    Judged {
        /// Time in the preprocess stage.
        preprocess: Duration,
        /// Time in the infer stage.
        infer: Duration,
        /// Time in the decide stage.
        decide: Duration,
    },
    /// A part's verdict reached the gate so long after the capture of the frame that decided it.
    Settled {
        /// From capture to gate.
        frame_to_gate: Duration,
    },
    /// A picture could not be used.
    Unusable {
        /// Which file or device.
        name: String,
        /// What is wrong with it.
        why: String,
    },
    /// A part has left the line.
    Part(Arc<PartRecord>),
    /// Figures so far, once a minute and at the end.
    Summary(Arc<Summary>),
}

/// Someone who hears every event. Must not block: whoever is slow keeps a bounded queue and counts what it loses.
pub trait Listener: Send {
    /// Takes note of an event.
    fn hear(&mut self, event: &Event);
}
