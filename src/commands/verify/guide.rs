//! Leads through the steps.

use std::time::Duration;

use super::course::{Course, Heard};
use crate::commands::print;
use crate::config::{Config, ConfirmKind, Sees};
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

    /// Which parts the confirm sensor sees, if there is one.
    fn sees(&self) -> Option<Sees> {
        let confirm = &self.config.confirm;
        (confirm.kind != ConfirmKind::None).then_some(confirm.sees)
    }

    fn step(&self, step: Step, course: &mut dyn Course) -> anyhow::Result<Ended> {
        if step == Step::BrokerStopped && !course.has_broker() {
            let what =
                "the broker does not answer, so its stop would prove nothing; start it first".to_owned();
            return Ok(Ended { step, ending: Ending::Failed(what), parts: Vec::new() });
        }
        let how = course.prepare(step, self.sees())?;
        if matches!(step, Step::CameraBack | Step::BrokerStopped) {
            settle(course)?;
            // What was taken away may have stopped the line.
            course.reset()?;
        }
        let began = course.now();
        let mut watch = Watch::new(step, how, began, self.sees());
        while let Some(heard) = course.hear(began + self.patience)? {
            match heard {
                Heard::LineStop(reason) => {
                    watch.on_line_stop(reason);
                    if step != Step::ConfirmBlocked {
                        print(&format!("   line stop: {}\n", reason.name()))?;
                    }
                }
                Heard::Part(record) => {
                    if let Some(mut ended) = watch.on_part(&record) {
                        let passed = ended.ending == Ending::Passed;
                        if step == Step::BrokerStopped && passed && course.has_reported() {
                            let what = "the broker took reports all the time: it was not stopped".to_owned();
                            ended.ending = Ending::Failed(what);
                        }
                        return Ok(ended);
                    }
                }
            }
        }
        Ok(watch.give_up(course.is_over()))
    }
}

/// Lets the line run for a while; what happens meanwhile is nobody's test.
fn settle(course: &mut dyn Course) -> anyhow::Result<()> {
    let until = course.now() + SETTLE;
    while course.hear(until)?.is_some() {}
    Ok(())
}
