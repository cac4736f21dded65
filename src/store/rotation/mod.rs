//! The statements of rotation: which servers hold which root keys, what is wrapped under which root key, and which cell
//! is sealed under which data key. The order of the steps is `domain::rotation`'s.
//!
//! Every step is one short transaction that leaves everything readable, and none says where it was: what is left to do
//! is read from the rows, so that a rotation can be cut short anywhere and begun again.

pub mod alone;
pub mod cells;
pub mod data_keys;
pub mod overview;
pub mod roots;
pub mod servers;

pub use alone::{Alone, Job, alone};

/// The statements of this folder, by file, which the role `keyway_jobs` runs.
pub const JOB_STATEMENTS: &[&[&str]] = &[
    alone::JOB_STATEMENTS,
    cells::JOB_STATEMENTS,
    data_keys::JOB_STATEMENTS,
    roots::JOB_STATEMENTS,
    servers::JOB_STATEMENTS,
];
