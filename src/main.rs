//! The `castgate` program: parse, dispatch, exit code.

fn main() {}
