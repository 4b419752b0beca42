//! What the line tells the world: each event is published once and goes to every listener.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Time;
use crate::decide::{Loss, PartRecord, StopReason, Troubles};
use crate::score::summary::Summary;
use crate::verdict::PartNumber;

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
    /// The gate moved so long after it should have.
    Acted {
        /// How late.
        late: Duration,
    },
    /// A part was opened.
    Opened {
        /// Its number.
        part: PartNumber,
        /// When.
        at: Time,
    },
    /// A line stop began, or ended.
    LineStop {
        /// Why it began; `None` when it ended.
        reason: Option<StopReason>,
        /// When.
        at: Time,
    },
    /// The belt's position was lost, or is known again.
    Position {
        /// Why it was lost; `None` when it is known again.
        loss: Option<Loss>,
        /// When.
        at: Time,
    },
    /// What went wrong so far without costing a part its number; when it has changed.
    Troubles(Troubles),
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

impl Event {
    /// A frame of a camera is none.
    pub(super) fn damaged(why: String) -> Self {
        Event::Unusable { name: "a frame of the camera".to_owned(), why }
    }
}

/// Someone who hears every event. Must not block: whoever is slow keeps a bounded queue and counts what it loses.
pub trait Listener: Send {
    /// Takes note of an event.
    fn hear(&mut self, event: &Event);
}
