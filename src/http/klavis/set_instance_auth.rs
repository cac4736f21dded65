//! `POST /mcp-server/instance/set-auth`: replaces the whole credential of an instance.

use axum::Json;
use axum::extract::State;
use utoipa::ToSchema;

use super::failures::{BodyFailures, Failures, NoInstance};
use super::wire::{self, AuthData, StatusResponse};
use crate::domain::Service;
use crate::domain::connection::SetOutcome;
use crate::domain::error::Issue;
use crate::http::extract::{Authorized, Body, ConnectionsWrite, FromJson};
use crate::http::failure::Failure;
use crate::json::{Json as Tree, JsonFault};

/// Which instance, and what its user authenticates with. Further keys are ignored.
#[derive(Debug, ToSchema)]
#[schema(title = "SetAuthRequest", rename_all = "camelCase")]
pub(super) struct SetAuthRequest {
    /// The unique identifier for the connection instance
    instance_id: String,
    #[schema(schema_with = wire::auth_data_schema)]
    auth_data: AuthData,
}

impl FromJson for SetAuthRequest {
    fn parse(text: &[u8]) -> Result<Tree, JsonFault> {
        wire::parse_auth_body(text)
    }

    fn from_json(json: Tree) -> Result<Self, Vec<Issue>> {
        wire::model(json, |members, faults| {
            let instance_id = members.read_required("instanceId", faults, wire::text);
            let auth_data = members.read_required("authData", faults, AuthData::read);
            Some(Self {
                instance_id: instance_id?,
                auth_data: auth_data?,
            })
        })
    }
}

impl From<SetOutcome> for StatusResponse {
    fn from(outcome: SetOutcome) -> Self {
        match outcome {
            SetOutcome::Stored => Self::done("Authentication data saved"),
            SetOutcome::NothingToStore => Self::unchanged(
                "Nothing to save: every value is null or empty. What was stored is unchanged",
            ),
            SetOutcome::NoAuthentication => {
                Self::unchanged("This server needs no authentication, so nothing was saved")
            }
        }
    }
}

#[utoipa::path(
    post,
    path = "/mcp-server/instance/set-auth",
    tag = "mcp-server",
    operation_id = "setInstanceAuth",
    summary = "Set Instance Auth",
    description = "Sets authentication data for a specific integration instance.\n\
                   Accepts either API key authentication or general authentication data.\n\
                   The data replaces what was stored before; data without a value changes nothing.",
    security(("HTTPBearer" = [])),
    request_body(content = SetAuthRequest),
    responses(
        (status = 200, description = "Successful Response", body = StatusResponse),
        Failures,
        NoInstance,
        BodyFailures
    ),
)]
pub(super) async fn handler(
    caller: Authorized<ConnectionsWrite>,
    State(service): State<Service>,
    body: Body<SetAuthRequest>,
) -> Result<Json<StatusResponse>, Failure> {
    let request = body.valid()?;
    let id = wire::instance_named(&request.instance_id)?;
    let outcome = service
        .set_credential(&caller, id, request.auth_data.0)
        .await;
    Ok(Json(outcome.map_err(wire::in_auth_body)?.into()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::super::validation::ValidationError;
    use super::*;

    fn items(json: &Value) -> Vec<Value> {
        let issues = SetAuthRequest::from_json(Tree::from(json.clone()))
            .err()
            .unwrap_or_default();
        issues
            .iter()
            .map(|issue| json!(ValidationError::of(issue)))
            .collect()
    }

    #[test]
    fn fields_are_named_in_declared_order_and_further_keys_ignored() {
        let missing =
            |key| json!({"type": "missing", "loc": ["body", key], "msg": "Field required"});
        assert_eq!(
            items(&json!({"x": 1})),
            [missing("instanceId"), missing("authData")]
        );
        assert_eq!(
            items(&json!({"x": 1, "authData": {}, "instanceId": ""})),
            Vec::<Value>::new()
        );
        assert_eq!(items(&json!([]))[0]["loc"], json!(["body"]));
    }

    /// Scalars that would be recognised wherever they came out again.
    fn scalar() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            Just(json!(4_815_162_342_u64)),
            Just(json!("CANARY")),
            Just(json!("")),
        ]
    }

    fn tree() -> impl Strategy<Value = Value> {
        let key = prop_oneof![
            Just("token".to_owned()),
            Just("api_key".to_owned()),
            Just("data".to_owned()),
            Just("authData".to_owned()),
            Just("instanceId".to_owned()),
            "[a-z\\x00]{0,2}",
        ];
        scalar().prop_recursive(4, 32, 6, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::vec((key.clone(), inner), 0..6)
                    .prop_map(|members| members.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

        #[test]
        fn any_json_is_read_or_named_and_never_repeated(auth_data in tree(), whole in tree()) {
            for json in [json!({"instanceId": "x", "authData": auth_data}), whole] {
                let written = Value::from(items(&json)).to_string();
                prop_assert!(!written.contains("CANARY") && !written.contains("4815162342"), "{}", written);
            }
        }
    }
}
