//! The command line: one file per subcommand. The only place where configuration meets real devices, and that prints.

pub mod draw;
pub mod labelled;
