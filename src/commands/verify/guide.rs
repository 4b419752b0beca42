//! Leads through the steps.

use std::time::Duration;

use super::course::{Course, Heard};
use crate::commands::print;
use crate::config::{Config, ConfirmKind};
use crate::verify::{Ended, Ending, Step, Watch};

/// After a line stop, and after the camera is back, the line is left alone for so long.
const SETTLE: Duration = Duration::from_secs(3);

/// Leads a line through the steps.
pub(super) struct Guide<'a> {
    pub config: &'a Config,
    /// For so long it waits for the parts of a step.
    pub patience: Duration,
}

impl Guide<'_> {
    /// Every step, or those up to the end of the line.
    ///
    /// # Errors
    /// When the line fails, or nothing can be printed.
    pub(super) fn lead(&self, course: &mut dyn Course) -> anyhow::Result<Vec<Ended>> {
        let mut ended = Vec::new();
        settle(course)?;
        for (index, step) in Step::ALL.into_iter().enumerate() {
            print(&format!("{}. {}\n", index + 1, step.name()))?;
            let end = match self.cannot(step) {
                Some(why) => Ended { step, ending: Ending::Skipped(why), parts: Vec::new() },
                None => self.step(step, course)?,
            };
            let words = match &end.ending {
                Ending::Passed => "passed".to_owned(),
                Ending::Failed(what) => format!("FAILED: {what}"),
                Ending::Skipped(why) => format!("not tried: {why}"),
            };
            print(&format!("   {words}\n"))?;
            ended.push(end);
            if course.is_over() {
                break;
            }
        }
        Ok(ended)
    }

    fn cannot(&self, step: Step) -> Option<&'static str> {
        match step {
            Step::ConfirmBlocked if self.config.confirm.kind == ConfirmKind::None => {
                Some("there is no confirm sensor (confirm.kind)")
            }
            Step::BrokerStopped if !self.config.mqtt.enabled => {
                Some("no broker is configured (mqtt.enabled)")
            }
            _ => None,
        }
    }

    fn step(&self, step: Step, course: &mut dyn Course) -> anyhow::Result<Ended> {
        let how = course.prepare(step)?;
        if matches!(step, Step::CameraBack | Step::BrokerStopped) {
            settle(course)?;
            // What was taken away may have stopped the line.
            course.reset()?;
        }
        let began = course.now();
        let mut watch = Watch::new(step, how, began, self.config.confirm.kind != ConfirmKind::None);
        while let Some(heard) = course.hear(began + self.patience)? {
            match heard {
                Heard::LineStop(reason) => {
                    watch.on_line_stop(reason);
                    if step != Step::ConfirmBlocked {
                        print(&format!("   line stop: {}\n", reason.name()))?;
                    }
                }
                Heard::Part(record) => {
                    if let Some(ended) = watch.on_part(&record) {
                        return Ok(ended);
                    }
                }
            }
        }
        Ok(watch.give_up())
    }
}

/// Lets the line run for a while; what happens meanwhile is nobody's test.
fn settle(course: &mut dyn Course) -> anyhow::Result<()> {
    let until = course.now() + SETTLE;
    while course.hear(until)?.is_some() {}
    Ok(())
}
