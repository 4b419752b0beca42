//! The one integration test binary: each module tests the product from outside.

mod model;
mod support;
