//! Reports: what happened, published once inside the process, for any number of listeners that cannot slow the line.
//!
//! Owns messages and publishers. Must not know stages, and never assumes a broker.
