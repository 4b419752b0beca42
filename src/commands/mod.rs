//! The command line: one file per subcommand. The only place where configuration meets real devices, and that prints.

pub mod labelled;
#[cfg(feature = "train")]
pub mod train;
#[cfg(not(feature = "train"))]
#[path = "train_off.rs"]
pub mod train;
