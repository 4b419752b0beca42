//! The one integration test binary: each module tests the product from outside.

mod support;

/// What every gate must do, on a recorder and on a real GPIO line.
mod contract_gate;
/// Reports over MQTT, against a scripted broker and a real one.
#[cfg(feature = "mqtt")]
mod mqtt;
