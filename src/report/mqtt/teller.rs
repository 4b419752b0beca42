//! What the log says of the connection: each kind of trouble once when it begins and once when it is over, and no more lines than
//! somebody reads, whatever the broker does.
//!
//! Pure: lines come out, and are written elsewhere.

use std::time::Duration;

use log::Level;

use super::trouble::Trouble;
use crate::clock::Time;
use crate::limit::Limiter;

/// Lines about the connection at once, and then one each so long.
const LINK: (u32, Duration) = (8, Duration::from_secs(60));
/// One line each so long about everything else that a broker can bring about.
const REST: (u32, Duration) = (1, Duration::from_secs(60));

/// A line for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line(pub(super) Level, pub(super) String);

impl Line {
    /// Writes it.
    pub(super) fn log(&self) {
        log::log!(self.0, "mqtt: {}", self.1);
    }
}

/// What is said of messages when the connection is there again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Figures {
    pub(super) failures: u32,
    pub(super) waiting: usize,
    pub(super) dropped: u64,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Teller {
    broker: String,
    client_id: String,
    command_topic: String,
    /// The trouble that lasts, and since when there is any.
    trouble: Option<(Trouble, Time)>,
    /// A line that says that the trouble is over was kept back.
    owed: bool,
    link: Limiter,
    full: Limiter,
    unasked: (u64, Limiter),
    deaf: Limiter,
}

impl Teller {
    pub(super) fn new(broker: String, client_id: String, command_topic: String) -> Self {
        let limiter = |(burst, per)| Limiter::new(burst, per);
        Self {
            broker,
            client_id,
            command_topic,
            trouble: None,
            owed: false,
            link: limiter(LINK),
            full: limiter(REST),
            unasked: (0, limiter(REST)),
            deaf: limiter(REST),
        }
    }

    /// An attempt failed or a connection ended; `had_connection`: the broker had accepted this client. The same trouble again says
    /// nothing new.
    pub(super) fn trouble(&mut self, trouble: &Trouble, had_connection: bool, now: Time) -> Option<Line> {
        let since = match &self.trouble {
            Some((before, _)) if before == trouble => return None,
            Some((_, since)) => *since,
            None => now,
        };
        self.trouble = Some((trouble.clone(), since));
        let more = self.link.allow(now)?;
        self.owed = false;
        let broker = &self.broker;
        let what = match trouble {
            Trouble::Refused(reason) => format!("{broker} refuses this client: {reason}"),
            Trouble::Closed => format!(
                "lost the connection to {broker}: the broker closed it; is another client connected as {}, or is something forbidden?",
                self.client_id
            ),
            Trouble::Unreachable(reason) if had_connection => {
                format!("lost the connection to {broker}: {reason}")
            }
            Trouble::Unreachable(reason) => format!("cannot reach {broker}: {reason}"),
        };
        Some(Line(Level::Warn, format!("{what}; trying again{more}")))
    }

    /// The broker acknowledged something: only now the connection is worth its name.
    pub(super) fn works(&mut self, figures: Figures, now: Time) -> Option<Line> {
        let trouble = self.trouble.take();
        match self.link.allow(now) {
            Some(more) => {
                Some(self.connected(trouble.map(|(_, since)| since), figures, now, &more.to_string()))
            }
            None => {
                self.owed = true;
                None
            }
        }
    }

    /// The connection has held for a while: nobody is left with the trouble as the last word.
    pub(super) fn holds(&mut self, figures: Figures, now: Time) -> Option<Line> {
        let owed = std::mem::take(&mut self.owed);
        owed.then(|| {
            let more = self.link.rest().to_string();
            self.connected(None, figures, now, &more)
        })
    }

    fn connected(&self, since: Option<Time>, figures: Figures, now: Time, more: &str) -> Line {
        let after = since.map(|since| {
            let Figures { failures, waiting, dropped } = figures;
            format!(
                " after {:.0} s, failed attempts: {failures}, messages that wait: {waiting}, messages dropped since the start: {dropped}",
                now.seconds_since(since)
            )
        });
        let after = after.unwrap_or_default();
        Line(Level::Info, format!("connected to {} as {}{after}{more}", self.broker, self.client_id))
    }

    /// Messages are dropped because the queue is full.
    pub(super) fn full(&mut self, dropped: u64, now: Time) -> Option<Line> {
        let more = self.full.allow(now)?;
        let why = match &self.trouble {
            Some((trouble, since)) => format!(
                "{} has taken none for {:.0} s ({}); mqtt.queue says how many are kept",
                self.broker,
                now.seconds_since(*since),
                match trouble {
                    Trouble::Refused(reason) | Trouble::Unreachable(reason) => reason,
                    Trouble::Closed => "it closed the connection",
                }
            ),
            None => format!("{} acknowledges fewer messages than parts leave the line", self.broker),
        };
        Some(Line(
            Level::Warn,
            format!(
                "the queue is full, the oldest part messages are dropped ({dropped} so far): {why}{more}"
            ),
        ))
    }

    /// Messages came that nobody had asked for.
    pub(super) fn unasked(&mut self, count: u64, now: Time) -> Option<Line> {
        let (all, limiter) = &mut self.unasked;
        *all = all.saturating_add(count);
        limiter.allow(now)?;
        Some(Line(
            Level::Warn,
            format!(
                "{} sends messages that were not asked for; they are ignored ({all} so far)",
                self.broker
            ),
        ))
    }

    /// Whether the broker lets this client hear commands.
    pub(super) fn listening(&mut self, granted: bool, now: Time) -> Option<Line> {
        if granted {
            return None;
        }
        let more = self.deaf.allow(now)?;
        Some(Line(
            Level::Warn,
            format!(
                "the broker does not let this client read {}; see its access list and commands.mqtt{more}",
                self.command_topic
            ),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::super::backoff::Backoff;
    use super::*;

    const FIGURES: Figures = Figures { failures: 3, waiting: 5, dropped: 0 };

    fn teller() -> Teller {
        Teller::new("b:1883".to_owned(), "line".to_owned(), "p/l/command".to_owned())
    }

    fn at(s: f64) -> Time {
        Time::ZERO.plus_s(s)
    }

    fn unreachable(words: &str) -> Trouble {
        Trouble::Unreachable(words.to_owned())
    }

    fn text(line: Option<Line>) -> String {
        line.map(|line| line.1).unwrap_or_default()
    }

    #[test]
    fn a_trouble_is_told_when_it_begins_and_when_it_is_over_and_not_between() {
        let mut teller = teller();
        let silent = unreachable("the broker acknowledges nothing");
        assert!(teller.trouble(&silent, true, at(10.0)).is_some());
        (2..500).for_each(|n| assert_eq!(teller.trouble(&silent, true, at(10.0 * f64::from(n))), None));
        let full = text(teller.full(7, at(5000.0)));
        assert!(full.contains("has taken none for 4990 s (the broker acknowledges nothing)"), "{full}");
        let over = text(teller.works(FIGURES, at(5010.0)));
        assert!(over.starts_with("connected to b:1883 as line after 5000 s, failed attempts: 3"), "{over}");
        assert!(text(teller.full(7, at(5070.0))).contains("acknowledges fewer messages than parts leave"));
    }

    /// Thousands of connections that end in every way, each at the pace of the back-off.
    #[test]
    fn however_often_connections_end_the_log_has_no_more_lines_than_somebody_reads() {
        let troubles = [
            Trouble::Closed,
            unreachable("no answer within 5 s"),
            Trouble::Refused("not authorised".to_owned()),
            unreachable("it does not speak MQTT as expected"),
            unreachable("TLS failed"),
        ];
        for (works, pace) in [(true, 31.0), (true, 0.001), (false, 0.001)] {
            let (mut teller, mut backoff, mut now, mut lines, mut kept_back) =
                (teller(), Backoff::new(7), 0.0, 0_u32, 0_u32);
            for round in 0..5000_usize {
                if works {
                    kept_back += u32::from(teller.works(FIGURES, at(now)).map(|_| lines += 1).is_none());
                }
                if pace > 30.0 {
                    backoff.reset();
                    lines += u32::from(teller.holds(FIGURES, at(now + 30.0)).is_some());
                }
                now += pace;
                let trouble = &troubles[round % troubles.len()];
                kept_back += u32::from(teller.trouble(trouble, works, at(now)).map(|_| lines += 1).is_none());
                let wait = backoff.after_failure().as_secs_f64();
                assert!(wait >= if round > 5 && pace < 30.0 { 15.0 } else { 1.0 });
                now += wait;
            }
            assert!(f64::from(lines) <= 16.0 + now / 20.0, "{lines} lines in {now} s");
            assert!(lines + kept_back >= 5000, "and none is lost untold");
        }
    }

    #[test]
    fn floods_are_counted_and_told_once_a_minute() {
        let mut teller = teller();
        let mut lines = Vec::new();
        for n in 0..100_000_u32 {
            let now = at(f64::from(n) * 0.001);
            lines.extend(teller.unasked(3, now));
            lines.extend(teller.listening(false, now));
            lines.extend(teller.full(u64::from(n), now));
            assert_eq!(teller.listening(true, now), None);
        }
        assert!(lines.len() <= 9, "{} lines in 100 s", lines.len());
        let last = lines.iter().rfind(|line| line.1.contains("not asked for"));
        assert!(last.unwrap().1.ends_with("they are ignored (180003 so far)"), "{last:?}");
    }

    #[test]
    fn who_reads_the_log_is_not_left_with_a_trouble_that_is_over() {
        let mut teller = teller();
        let flapping = (0..50).filter_map(|_| {
            let lost = teller.trouble(&Trouble::Closed, true, at(1.0));
            teller.works(FIGURES, at(1.0)).or(lost)
        });
        assert!(flapping.count() <= 8);
        let held = text(teller.holds(FIGURES, at(31.0)));
        assert!(held.starts_with("connected to b:1883 as line (and "), "{held}");
        assert_eq!(teller.holds(FIGURES, at(61.0)), None, "once");
    }
}
