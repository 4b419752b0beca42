//! The one integration test binary: each module tests the product from outside.

/// Copies and other faults of labelled pictures.
mod audit;
/// Timing of models.
mod bench;
/// A configuration checked without a command line.
mod checked;
/// No two files use each other.
mod circles;
/// The command line: help, exit codes, pipes that close.
mod cli;
/// Configuration files, good and bad, and what is said of them.
mod config_cases;
/// What every gate must do, on a recorder and on a real GPIO line.
mod contract_gate;
/// The outputs to the PLC and the second gate on real GPIO lines.
mod contract_outputs;
/// What every source of sensor events must do, on simulated ones and on real GPIO lines.
mod contract_sensor;
/// Evaluation on drawn pictures.
mod eval;
/// What the documents say of the program holds.
mod facts;
/// What a model does not know.
mod familiar;
/// Pipes, folders and links where files are expected.
mod files;
/// Folders of pictures as people have them, names with escape codes, and files that are written whole.
mod folders;
/// Generated pages are up to date.
mod fresh;
/// Comparing with golden files.
mod golden;
/// Frames that cannot be judged, or that nobody saw, where each one is a part.
mod health;
/// Heat maps of drawn parts.
#[cfg(feature = "train")]
mod heat;
/// The lab without a command line.
mod lab;
/// Licences of the dependencies.
mod licences;
/// The whole simulated line with the shipped model.
mod line;
/// Loading models, good and bad.
mod model;
/// Reports over MQTT, against a scripted broker and a real one.
#[cfg(feature = "mqtt")]
mod mqtt;
/// Commands to a running line, and the reload of its configuration, through the built program.
mod orders;
/// Damaged pictures, through the built program.
mod pictures;
/// The pipeline on devices that do as they are told.
mod pipeline;
/// The built program: signals, and the real pictures where they are.
mod programs;
/// Months of belt with faults, and scenarios.
mod simulation;
/// Groups of photographs in training and evaluation.
#[cfg(feature = "train")]
mod splits;
/// Starts after a crash, on stores to which something happened.
#[cfg(feature = "store")]
mod store;
/// Devices and brokers for the tests.
mod support;
/// Teaching from the camera to an installed model.
#[cfg(feature = "train")]
mod teach;
/// Layers, limits and headers of the sources.
mod tidy;
/// Training from pictures to a model that the engine runs.
#[cfg(feature = "train")]
mod train;
/// The systemd unit.
mod unit;
/// Standard error and standard output that nobody reads.
mod unread;
/// What `why` tells of parts.
#[cfg(feature = "store")]
mod why;
