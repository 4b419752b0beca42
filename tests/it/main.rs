//! The one integration test binary: each module tests the product from outside.

mod cli;
mod config_cases;
mod fresh;
mod golden;
mod tidy;
