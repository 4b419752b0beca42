//! A folder of pictures as people keep them: which of its files are pictures of parts, what the names of its folders say of them, and
//! what was left aside.
//!
//! Pure: names and first bytes come in, decisions go out. Must not know files.

pub mod label;
pub mod layout;
pub mod left;
pub mod names;
