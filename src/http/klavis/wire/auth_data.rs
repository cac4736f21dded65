//! `authData`: a union of two models that forbid further keys.

use utoipa::openapi::schema::{AdditionalProperties, AnyOfBuilder, ObjectBuilder, Type};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::domain::credential::Credential;
use crate::domain::error::{Expected, Rule};
use crate::http::shape::Faults;
use crate::json::{Json, Object};

/// The fields of [`ApiKeyAuth`], in declared order.
const API_KEY_FIELDS: [&str; 2] = ["token", "api_key"];
/// The field of [`GeneralAuth`].
const GENERAL_FIELD: &str = "data";

/// What a user authenticates with, not yet checked against declared fields.
#[derive(Debug)]
pub(in crate::http::klavis) struct AuthData(pub Credential);

impl AuthData {
    /// Whether one of the two models has a field of this name.
    pub fn knows(key: &str) -> bool {
        key == GENERAL_FIELD || API_KEY_FIELDS.contains(&key)
    }

    /// Reads the union: the first model that fits, else the faults of both, each under its model's name.
    pub fn read(json: Json, faults: &mut Faults) -> Option<Self> {
        let mut members = match json {
            Json::Object(members) => members,
            other => {
                for model in ["ApiKeyAuth", "GeneralAuth"] {
                    faults.note(
                        model,
                        Rule::Type {
                            expected: Expected::Object,
                            received: other.kind(),
                        },
                    );
                }
                return None;
            }
        };
        if fits_api_key(&members) {
            let [token, api_key] = API_KEY_FIELDS.map(|name| members.remove(name));
            return Some(Self(Credential::of_key(token, api_key)));
        }
        if members.len() == 1
            && let Some(Json::Object(data)) = members.get_mut(GENERAL_FIELD)
        {
            return Some(Self(Credential::of_members(std::mem::take(data))));
        }
        faults.within("ApiKeyAuth", |faults| explain_api_key(&members, faults));
        faults.within("GeneralAuth", |faults| explain_general(&members, faults));
        None
    }
}

fn is_text_or_null(value: &Json) -> bool {
    matches!(value, Json::String(_) | Json::Null)
}

fn fits_api_key(members: &Object) -> bool {
    members
        .iter()
        .all(|(key, value)| API_KEY_FIELDS.contains(&key) && is_text_or_null(value))
}

fn explain_api_key(members: &Object, faults: &mut Faults) {
    for name in API_KEY_FIELDS {
        if let Some(value) = members.get(name).filter(|value| !is_text_or_null(value)) {
            faults.note(
                name,
                Rule::Type {
                    expected: Expected::String,
                    received: value.kind(),
                },
            );
        }
    }
    refuse_others(members, &API_KEY_FIELDS, faults);
}

fn explain_general(members: &Object, faults: &mut Faults) {
    if let Some(value) = members
        .get(GENERAL_FIELD)
        .filter(|value| value.as_object().is_none())
    {
        faults.note(
            GENERAL_FIELD,
            Rule::Type {
                expected: Expected::Map,
                received: value.kind(),
            },
        );
    }
    refuse_others(members, &[GENERAL_FIELD], faults);
}

fn refuse_others(members: &Object, known: &[&str], faults: &mut Faults) {
    for key in members.keys().filter(|key| !known.contains(key)) {
        faults.note(key.to_owned(), Rule::UnknownKey);
    }
}

/// The first model: one key.
pub(in crate::http::klavis) struct ApiKeyAuth;

/// The second model: anything else.
pub(in crate::http::klavis) struct GeneralAuth;

impl ToSchema for ApiKeyAuth {}

impl PartialSchema for ApiKeyAuth {
    fn schema() -> RefOr<Schema> {
        let text_or_null = |description| {
            let of = |kind| ObjectBuilder::new().schema_type(kind).build();
            let either = AnyOfBuilder::new()
                .item(of(Type::String))
                .item(of(Type::Null));
            Schema::AnyOf(either.description(Some(description)).build())
        };
        ObjectBuilder::new()
            .title(Some("Option 1: API Key"))
            .property("token", text_or_null("The API key to save (token field)"))
            .property(
                "api_key",
                text_or_null("The API key to save (api_key field)"),
            )
            .additional_properties(Some(AdditionalProperties::FreeForm(false)))
            .build()
            .into()
    }
}

impl ToSchema for GeneralAuth {}

impl PartialSchema for GeneralAuth {
    fn schema() -> RefOr<Schema> {
        let data = ObjectBuilder::new()
            .title(Some("Data"))
            .description(Some("Any other general authentication data to save"))
            .additional_properties(Some(AdditionalProperties::FreeForm(true)))
            .build();
        ObjectBuilder::new()
            .title(Some("Option 2: General Auth Data"))
            .property(GENERAL_FIELD, data)
            .additional_properties(Some(AdditionalProperties::FreeForm(false)))
            .build()
            .into()
    }
}

/// The schema of the union, by reference.
pub(in crate::http::klavis) fn auth_data_schema() -> RefOr<Schema> {
    let union = AnyOfBuilder::new()
        .item(Ref::from_schema_name("ApiKeyAuth"))
        .item(Ref::from_schema_name("GeneralAuth"))
        .description(Some("Authentication data"))
        .build();
    RefOr::T(Schema::AnyOf(union))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults_of(text: &str) -> Vec<String> {
        let mut faults = Faults::default();
        let value = AuthData::read(Json::parse(text.as_bytes()).expect("JSON"), &mut faults);
        let issues = faults.finish(value).expect_err(text);
        let path = |path: &[_]| {
            path.iter()
                .map(ToString::to_string)
                .collect::<Vec<String>>()
                .join(".")
        };
        issues.iter().map(|issue| path(&issue.path)).collect()
    }

    fn credential(text: &str) -> Credential {
        let mut faults = Faults::default();
        let value = AuthData::read(Json::parse(text.as_bytes()).expect("JSON"), &mut faults);
        faults.finish(value).expect(text).0
    }

    #[test]
    fn each_model_becomes_a_credential_with_its_members_on_top() {
        let stored = |text| credential(text).to_secret();
        assert!(stored(r#"{"api_key":"k","token":"t"}"#).same_as(r#"{"token":"t","api_key":"k"}"#));
        assert!(stored(r#"{"token":null,"api_key":"k"}"#).same_as(r#"{"api_key":"k"}"#));
        assert!(
            stored(r#"{"data":{"n":1e400,"token":["x"]}}"#).same_as(r#"{"n":1e400,"token":["x"]}"#)
        );
        for nothing in [
            "{}",
            r#"{"token":null}"#,
            r#"{"data":{}}"#,
            r#"{"data":{"a":null,"b":""}}"#,
        ] {
            assert!(credential(nothing).is_empty(), "{nothing}");
        }
    }

    #[test]
    fn faults_come_in_declared_order_then_in_input_order() {
        assert_eq!(faults_of("[]"), ["ApiKeyAuth", "GeneralAuth"]);
        assert_eq!(
            faults_of(r#"{"z":1,"data":5,"api_key":1,"a":2,"token":[]}"#),
            [
                "ApiKeyAuth.token",
                "ApiKeyAuth.api_key",
                "ApiKeyAuth.z",
                "ApiKeyAuth.data",
                "ApiKeyAuth.a",
                "GeneralAuth.data",
                "GeneralAuth.z",
                "GeneralAuth.api_key",
                "GeneralAuth.a",
                "GeneralAuth.token",
            ]
        );
    }

    #[test]
    fn a_mix_of_both_models_fits_neither() {
        assert_eq!(
            faults_of(r#"{"token":null,"data":{}}"#),
            ["ApiKeyAuth.data", "GeneralAuth.token"]
        );
    }
}
