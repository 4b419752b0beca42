//! castgate inspects castings on a conveyor with a small tapered CNN and drives the reject gate.
//!
//! ```text
//! [capture] -> [preprocess] -> [infer] -> [decide: ledger] -> [gate]
//!                                              +-> [report] -> console, summary, MQTT
//! ```
//! The modules are declared from the lowest layer to the highest; each uses only those above it in this list.

pub mod clock;
pub mod frame;
pub mod limit;
pub mod printable;
pub mod regular;
pub mod remote;
pub mod strict;
pub mod units;
pub mod unseen;
pub mod verdict;

pub mod config;
pub mod picture;

pub mod album;
pub mod audit;
pub mod chart;
pub mod decide;
pub mod kernels;
pub mod network;
pub mod scene;
pub mod score;
pub mod train;
pub mod vision;

#[cfg_attr(not(feature = "gpio"), allow(dead_code, reason = "lines that cannot be opened have no settings"))]
mod gpio;

pub mod folder;

pub mod camera;
pub mod gate;
pub mod model;
pub mod report;
pub mod sensor;
pub mod store;

pub mod pipeline;

pub mod simulate;
pub mod verify;
pub mod web;

pub mod service;

pub mod lab;
pub mod line;

pub mod commands;
