//! `PATCH` and `DELETE` at a word that stands where an instance's id would: no instance, whatever else is said.

use super::wire;
use crate::domain::error::{BodyFault, Issue, Kind, Rule};
use crate::domain::{Error, Service};
use crate::http::extract::{Authorized, Body, ConnectionsWrite, FromJson};
use crate::http::failure::Failure;
use crate::json::Json as Tree;

/// A body whose members are not looked at, apart from those that an instance's change has.
#[derive(Debug)]
pub(super) struct ChangeOfNone;

impl FromJson for ChangeOfNone {
    fn from_json(json: Tree) -> Result<Self, Vec<Issue>> {
        wire::model(json, |members, faults| {
            members.read("isReadOnly", faults, wire::null_or(wire::boolean));
            members.refuse_all(faults);
            Some(Self)
        })
    }
}

/// `PATCH`: what is wrong with the path, then what is wrong with the body.
pub(super) async fn changed(
    _: Authorized<ConnectionsWrite>,
    _: axum::extract::State<Service>,
    body: Body<ChangeOfNone>,
) -> Failure {
    let mut issues = vec![Issue::new(
        vec!["path".into(), "instanceId".into()],
        Rule::NotAUuid,
    )];
    match body.valid() {
        Ok(_) => {}
        Err(Error::Invalid(more)) => issues.extend(more),
        Err(Error::Body(BodyFault::Empty)) => {
            issues.push(Issue::new(vec!["body".into()], Rule::Required));
        }
        Err(other) => return other.into(),
    }
    Error::Invalid(issues).into()
}

/// `DELETE`: what is wrong with the path.
pub(super) async fn deleted(
    _: Authorized<ConnectionsWrite>,
    _: axum::extract::State<Service>,
) -> Failure {
    Error::IllFormedId(Kind::Connection).into()
}
