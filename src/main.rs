//! The program `keyway`.

fn main() {}
