//! The one integration test binary: each module tests the product from outside.

mod support;

/// Reports over MQTT, against a scripted broker and a real one.
#[cfg(feature = "mqtt")]
mod mqtt;
