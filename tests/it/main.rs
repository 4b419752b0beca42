//! The one integration test binary: each module tests the product from outside.

/// Licences of the dependencies.
mod licences;
/// Loading models, good and bad.
mod model;
/// The pipeline on devices that do as they are told.
mod pipeline;
/// Devices for the tests.
mod support;
