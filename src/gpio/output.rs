//! A line that is driven.

use gpiocdev::Request;
use gpiocdev::line::{self, Offset, Value};

use super::find::{fail, find, gone, holder};
use super::{CONSUMER, LineError, Named};
use crate::config::Drive;

/// An output, held for life. What its level is afterwards is up to the kernel and the wiring.
pub(crate) struct OutputLine {
    request: Request,
    offset: Offset,
    /// Key, chip and line, for messages.
    device: String,
}

fn value(high: bool) -> Value {
    if high { Value::Active } else { Value::Inactive }
}

fn kind(drive: Drive) -> line::Drive {
    match drive {
        Drive::PushPull => line::Drive::PushPull,
        Drive::OpenDrain => line::Drive::OpenDrain,
        Drive::OpenSource => line::Drive::OpenSource,
    }
}

impl OutputLine {
    /// Requests the line with a level from the first moment on: no other level comes in between.
    ///
    /// # Errors
    /// When chip or line are missing, ambiguous, in use or not permitted.
    pub(crate) fn open(named: Named<'_>, drive: Drive, high: bool) -> Result<Self, LineError> {
        let found = find(named)?;
        let request = Request::builder()
            .on_chip(found.chip.path())
            .with_consumer(CONSUMER)
            .with_line(found.offset)
            .as_output(value(high))
            .with_drive(kind(drive))
            .request()
            .map_err(|cause| {
                let remedy = "this line may not be able to drive an output: choose another";
                holder(&found).unwrap_or_else(|| fail(&found.device, &cause, remedy))
            })?;
        Ok(Self { request, offset: found.offset, device: found.device })
    }

    /// Sets the line's level.
    ///
    /// # Errors
    /// When the chip is gone or has failed.
    pub(crate) fn set(&self, high: bool) -> Result<(), LineError> {
        self.request.set_value(self.offset, value(high)).map_err(|cause| gone(&self.device, &cause))
    }
}
