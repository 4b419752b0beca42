//! Orders to the ledger, from the local socket, the broker and a reloaded configuration.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

use crate::clock::Clock;
use crate::config::{Config, Trigger};
use crate::limit::Limiter;
use crate::pipeline::Order;
use crate::remote::{RemoteCommand, Take};

/// Orders that wait for the ledger, which takes one with every step: bursts only. When it is full the sender is told `busy`.
const ORDERS: usize = 16;

/// Commands that one way into the line may bring at once, and the time in which one more may follow: far more than parts come, and far
/// too few to keep the ledger from its frames and edges.
const COMMANDS: u32 = 32;
const COMMAND_EVERY: Duration = Duration::from_millis(2);

/// Where orders are given.
#[derive(Clone)]
pub struct Orders {
    sender: Sender<Order>,
    trigger: Trigger,
}

impl Orders {
    /// For a line with this configuration; the other end is for its ledger.
    pub fn new(config: &Config) -> (Self, Receiver<Order>) {
        let (sender, orders) = bounded(ORDERS);
        (Self { sender, trigger: config.decide.trigger }, orders)
    }

    /// Gives an order without waiting.
    ///
    /// # Errors
    /// In words, when the ledger does not take it now.
    pub fn give(&self, order: Order) -> Result<(), String> {
        self.sender.try_send(order).map_err(|error| match error {
            TrySendError::Full(_) => "busy".to_owned(),
            TrySendError::Disconnected(_) => "the line is stopping".to_owned(),
        })
    }

    /// Takes commands that come in one way.
    pub fn taker(&self, clock: Arc<dyn Clock>) -> Take {
        let orders = self.clone();
        let pace = Mutex::new(Limiter::new(COMMANDS, COMMAND_EVERY));
        Arc::new(move |command| {
            let order = match command {
                RemoteCommand::Trigger if orders.trigger != Trigger::Software => {
                    return Err(
                        "parts of this line are not opened by commands: `decide.trigger` is not `software`"
                            .to_owned(),
                    );
                }
                RemoteCommand::Trigger => Order::Trigger,
                RemoteCommand::Reset => Order::Reset,
            };
            let in_time = pace.lock().unwrap_or_else(PoisonError::into_inner).allow(clock.now());
            in_time.ok_or_else(|| "busy: commands come too fast".to_owned())?;
            orders.give(order)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{SimClock, Time};

    /// A clock on which commands never come too fast.
    fn slow() -> Arc<dyn Clock> {
        #[derive(Default)]
        struct Slow(SimClock);
        impl Clock for Slow {
            fn now(&self) -> Time {
                self.0.advance_to(self.0.now() + COMMAND_EVERY);
                self.0.now()
            }
            fn wall_ms(&self) -> i64 {
                0
            }
            fn sleep_until(&self, _: Time) {}
        }
        Arc::<Slow>::default()
    }

    #[test]
    fn commands_become_orders_until_the_ledger_is_busy_or_gone() {
        let mut config = Config::default();
        let (orders, _ledger) = Orders::new(&config);
        assert!(
            orders.taker(slow())(RemoteCommand::Trigger).unwrap_err().contains("`decide.trigger` is not")
        );
        config.decide.trigger = Trigger::Software;
        let (orders, ledger) = Orders::new(&config);
        let take = orders.taker(slow());
        assert_eq!((take(RemoteCommand::Trigger), take(RemoteCommand::Reset)), (Ok(()), Ok(())));
        assert_eq!(ledger.try_iter().collect::<Vec<_>>(), [Order::Trigger, Order::Reset]);
        (0..ORDERS).for_each(|_| take(RemoteCommand::Reset).unwrap());
        assert_eq!(take(RemoteCommand::Reset), Err("busy".to_owned()));
        drop(ledger);
        assert_eq!(take(RemoteCommand::Reset), Err("the line is stopping".to_owned()));
    }
    #[test]
    fn a_flood_of_commands_does_not_reach_the_ledger() {
        let clock = Arc::new(SimClock::default());
        let (orders, ledger) = Orders::new(&Config::default());
        let take = orders.taker(clock.clone());
        let mut taken = 0;
        for _ in 0..66_000 {
            clock.advance_to(clock.now() + Duration::from_micros(15));
            taken += usize::from(take(RemoteCommand::Reset).is_ok());
            // The ledger takes them as they come.
            ledger.try_iter().for_each(drop);
        }
        assert!((500..560).contains(&taken), "in a second: {taken}");
        assert_eq!(take(RemoteCommand::Reset), Err("busy: commands come too fast".to_owned()));
    }
}
