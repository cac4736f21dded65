//! `POST /white-labeling/create`: an OAuth client of the tenant's own for one service, made or changed by its client id.

use axum::Json;
use axum::extract::State;
use utoipa::ToSchema;

use super::failures::{BodyFailures, Failures};
use super::wire::{self, WhiteLabelingResponse};
use crate::domain::error::{Issue, Rule, Segment};
use crate::domain::white_label::{WhiteLabelChange, WhiteLabelClient};
use crate::domain::{Caller, Error, Service};
use crate::http::extract::{AuthConfigsWrite, Authorized, Body, FromJson};
use crate::http::failure::Failure;
use crate::http::shape::{secret, text};
use crate::json::Json as Tree;

/// The members, in the order in which the model declares them.
const MEMBERS: [&str; 5] = [
    "client_id",
    "client_secret",
    "server_name",
    "callback_url",
    "account_id",
];

/// An OAuth client of yours.
#[derive(ToSchema)]
#[schema(title = "CreateWhiteLabelingRequest")]
#[expect(
    dead_code,
    reason = "the schema's type; requests are read member by member"
)]
pub(super) struct CreateWhiteLabelingRequest {
    /// The client's id. Where you gave it before for this server, that client is changed. At most 32 KiB of JSON; where
    /// it is empty, nothing is saved.
    client_id: String,
    /// The client's secret. It is never shown again. At most 32 KiB of JSON; where it is empty, nothing is saved.
    client_secret: String,
    /// The server's name in any spelling; one that uses OAuth.
    server_name: String,
    /// Where the provider sends users back to. Any text: it is checked where it is used. Left out it is kept, null and
    /// the empty text clear it.
    #[schema(max_length = 2000)]
    callback_url: Option<String>,
    /// Whose account the client belongs to, in your own words. Left out it is kept, null and the empty text clear it.
    #[schema(max_length = 2000)]
    account_id: Option<String>,
}

/// The request as far as it could be read, with what is wrong with the rest.
#[derive(Debug, Default)]
pub(super) struct CreateWhiteLabelingBody {
    client: WhiteLabelClient,
    server_name: Option<String>,
    faults: Vec<Issue>,
}

impl FromJson for CreateWhiteLabelingBody {
    fn from_json(json: Tree) -> Result<Self, Vec<Issue>> {
        let mut body = Self::default();
        let read = wire::model(json, |members, faults| {
            body.client.client_id = members.read_required("client_id", faults, secret);
            body.client.client_secret = members.read_required("client_secret", faults, secret);
            body.server_name = members.read_required("server_name", faults, wire::service_name);
            body.client.callback_url = members.patch("callback_url", faults, text);
            body.client.account_id = members.patch("account_id", faults, text);
            Some(())
        });
        body.faults = read.err().unwrap_or_default();
        Ok(body)
    }
}

impl CreateWhiteLabelingBody {
    /// The request, or everything that is wrong with it, in the order of its members. A request without another fault
    /// is passed on with the name as it is: what it asks for finds an unknown one itself.
    async fn checked(self, service: &Service, caller: &Caller) -> Result<WhiteLabelChange, Error> {
        let mut faults = self.faults;
        for mut issue in self.client.broken_rules() {
            issue.path.insert(0, "body".into());
            faults.push(issue);
        }
        if let Some(name) = self.server_name {
            if faults.is_empty() {
                return Ok(WhiteLabelChange {
                    service: name,
                    client: self.client,
                });
            }
            if let Some(rule) = service.white_label_fault(caller, &name).await? {
                faults.push(at_server_name(rule));
            }
        }
        faults.sort_by_key(|issue| MEMBERS.iter().position(|name| is_at(issue, name)));
        Err(Error::Invalid(faults))
    }
}

fn is_at(issue: &Issue, member: &'static str) -> bool {
    issue.path.get(1) == Some(&Segment::from(member))
}

fn at_server_name(rule: Rule) -> Issue {
    Issue::new(vec!["body".into(), "server_name".into()], rule)
}

/// The fault that is found last, at the place where this request has it.
fn at_wire_name(error: Error) -> Error {
    match error {
        Error::Invalid(issues) => Error::Invalid(
            issues
                .into_iter()
                .map(|issue| at_server_name(issue.rule))
                .collect(),
        ),
        other => other,
    }
}

#[utoipa::path(
    post,
    path = "/white-labeling/create",
    tag = "white-labeling",
    operation_id = "createWhiteLabeling",
    summary = "Create White Labeling",
    description = "Makes an OAuth client of your own for a server, or changes the one of this client id. It is the \
                   client of the server's default auth config; another client id makes another auth config. The \
                   answer says success: false, and nothing is saved, where the id or the secret is empty.",
    security(("HTTPBearer" = [])),
    request_body(content = CreateWhiteLabelingRequest),
    responses(
        (status = 200, description = "Successful Response", body = WhiteLabelingResponse),
        Failures,
        BodyFailures
    ),
)]
pub(super) async fn handler(
    caller: Authorized<AuthConfigsWrite>,
    State(service): State<Service>,
    body: Body<CreateWhiteLabelingBody>,
) -> Result<Json<WhiteLabelingResponse>, Failure> {
    let change = body.valid()?.checked(&service, &caller).await?;
    let made = service
        .set_white_label(&caller, change)
        .await
        .map_err(at_wire_name)?;
    Ok(Json(match made {
        Ok(label) => label.into(),
        Err(empty) => empty.into(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::patch::Patch;

    fn read(text: &str) -> CreateWhiteLabelingBody {
        let json = Tree::parse(text.as_bytes()).expect("JSON");
        CreateWhiteLabelingBody::from_json(json).expect("a body")
    }

    #[test]
    fn what_is_left_out_is_kept_and_null_clears() {
        let client = |rest: &str| {
            let text =
                format!(r#"{{"client_id":"c","client_secret":"s","server_name":"Gmail"{rest}}}"#);
            let body = read(&text);
            assert!(body.faults.is_empty());
            (body.client.callback_url, body.client.account_id)
        };
        assert_eq!(client(""), (Patch::Keep, Patch::Keep));
        let cleared = client(r#","callback_url":null,"account_id":null"#);
        assert_eq!(cleared, (Patch::Clear, Patch::Clear));
        let set = client(r#","callback_url":"https://a.example","account_id":"a","more":1"#);
        assert_eq!(set.0, Patch::Set("https://a.example".to_owned()));
        assert_eq!(set.1, Patch::Set("a".to_owned()));
    }

    #[test]
    fn every_fault_is_named_in_declared_order() {
        let body = read(
            r#"{"account_id":1,"callback_url":"\u0000","server_name":null,"client_secret":2,"client_id":null}"#,
        );
        let names: Vec<_> = body
            .faults
            .iter()
            .map(|issue| issue.path[1].to_string())
            .collect();
        assert_eq!(names, MEMBERS);
        let nothing = read("[]").faults;
        assert_eq!(nothing.len(), 1);
        assert_eq!(nothing[0].path, ["body".into()]);
    }
}
