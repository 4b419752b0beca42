//! Orders to the ledger, from the local socket, the broker and a reloaded configuration.

use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

use crate::config::{Config, Trigger};
use crate::pipeline::Order;
use crate::remote::{RemoteCommand, Take};

/// Orders that wait for the ledger, which takes one with every step: bursts only. When it is full the sender is told `busy`.
const ORDERS: usize = 16;

/// Where orders are given.
#[derive(Clone)]
pub(super) struct Orders {
    sender: Sender<Order>,
    trigger: Trigger,
}

impl Orders {
    /// For a line with this configuration; the other end is for its ledger.
    pub(super) fn new(config: &Config) -> (Self, Receiver<Order>) {
        let (sender, orders) = bounded(ORDERS);
        (Self { sender, trigger: config.decide.trigger }, orders)
    }

    /// Gives an order without waiting.
    ///
    /// # Errors
    /// In words, when the ledger does not take it now.
    pub(super) fn give(&self, order: Order) -> Result<(), String> {
        self.sender.try_send(order).map_err(|error| match error {
            TrySendError::Full(_) => "busy".to_owned(),
            TrySendError::Disconnected(_) => "the line is stopping".to_owned(),
        })
    }

    /// Takes commands from outside.
    pub(super) fn taker(&self) -> Take {
        let orders = self.clone();
        Arc::new(move |command| match command {
            RemoteCommand::Trigger if orders.trigger != Trigger::Software => {
                Err("parts of this line are not opened by commands: `decide.trigger` is not `software`"
                    .to_owned())
            }
            RemoteCommand::Trigger => orders.give(Order::Trigger),
            RemoteCommand::Reset => orders.give(Order::Reset),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_become_orders_until_the_ledger_is_busy_or_gone() {
        let mut config = Config::default();
        let (orders, _ledger) = Orders::new(&config);
        assert!(orders.taker()(RemoteCommand::Trigger).unwrap_err().contains("`decide.trigger` is not"));
        config.decide.trigger = Trigger::Software;
        let (orders, ledger) = Orders::new(&config);
        let take = orders.taker();
        assert_eq!((take(RemoteCommand::Trigger), take(RemoteCommand::Reset)), (Ok(()), Ok(())));
        assert_eq!(ledger.try_iter().collect::<Vec<_>>(), [Order::Trigger, Order::Reset]);
        (0..ORDERS).for_each(|_| take(RemoteCommand::Reset).unwrap());
        assert_eq!(take(RemoteCommand::Reset), Err("busy".to_owned()));
        drop(ledger);
        assert_eq!(take(RemoteCommand::Reset), Err("the line is stopping".to_owned()));
    }
}
