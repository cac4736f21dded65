//! What handlers take. `Authorized` refuses at once; `Param`, `Query` and `Body` hold what they found until the
//! handler asks with `valid()`, so that each dialect keeps its own order of checks.

mod authorized;
mod body;
mod if_match;
mod param;
mod path_texts;
mod query;

pub use authorized::*;
pub use body::{Body, FromJson, JSON_LIMIT};
pub use if_match::IfMatch;
pub use param::{Param, PathId};
pub use path_texts::PathTexts;
pub use query::{FromQuery, Query};
