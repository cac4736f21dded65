//! The hosted connect page over HTTP, and in a real browser.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;

mod arbitrary;
mod bodies;
mod browser;
mod ends;
mod faults;
mod forgery;
mod form;
mod page;
mod races;
mod submitted;
mod world;
