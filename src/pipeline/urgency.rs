//! Real-time priority for the stages between a verdict and the gate, and memory that is never swapped, where the system grants them.
//!
//! The unit grants them (`LimitRTPRIO`, `LimitMEMLOCK`); elsewhere everything runs as any program does. The model's stage is left as it is: it
//! works for milliseconds at a time and would starve others.

use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{Resource, getrlimit};
use thread_priority::ThreadPriority;
use thread_priority::unix::{
    RealtimeThreadSchedulePolicy, ScheduleParams, ThreadSchedulePolicy, set_thread_priority_and_policy,
    thread_native_id,
};

/// Stages that are short and must not wait: what they are late by, the gate is.
const URGENT: [&str; 3] = ["gate", "decide", "sensor"];
/// Above every ordinary program, below the kernel's own threads for interrupts (50).
const PRIORITY: i32 = 10;

/// Gives the present thread its priority if it runs an urgent stage and the system grants it.
pub(super) fn take(stage: &str) {
    if !URGENT.contains(&stage) || !is_granted() {
        return;
    }
    let first_in_first_out = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);
    let priority = ThreadPriority::from_posix(ScheduleParams { sched_priority: PRIORITY });
    if let Err(error) = set_thread_priority_and_policy(thread_native_id(), priority, first_in_first_out) {
        log::warn!("no real-time priority for this stage: {error:?}; the gate may be late on a busy board");
    }
}

/// Keeps this process in memory, page by page as they are used, if there is no limit to what it may lock.
pub fn lock_memory() {
    if getrlimit(Resource::Memlock).current.is_some() {
        return;
    }
    let all = MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT;
    if let Err(error) = mlockall(all) {
        log::warn!("memory cannot be locked: {error}; a board that swaps may make the gate late");
    }
}

/// Whether the limit lets this process take the priority; `None` in the answer is no limit.
fn is_granted() -> bool {
    getrlimit(Resource::Rtprio).current.is_none_or(|most| most >= PRIORITY.unsigned_abs().into())
}
