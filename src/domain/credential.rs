//! The secret content of a connection as it comes in, and the rules that it must keep before it is sealed.

use super::auth_config::{DeclaredField, FieldKind};
use super::error::{Expected, Issue, Rule, Segment};
use crate::crypto::Secret;
use crate::json::{Json, JsonKind, Object};

/// A credential that a caller brought: a JSON object, not yet sealed.
#[derive(Debug)]
pub struct Credential {
    members: Object,
}

impl Credential {
    /// A credential with these members at its top level.
    pub fn of_members(members: Object) -> Self {
        Self { members }
    }

    /// A single key, as Klavis' `ApiKeyAuth` brings it, under those names. Null members are left out.
    pub fn of_key(token: Option<Json>, api_key: Option<Json>) -> Self {
        let members = [("token", token), ("api_key", api_key)]
            .into_iter()
            .filter_map(|(name, value)| {
                Some((name.to_owned(), value.filter(|value| !value.is_null())?))
            })
            .collect();
        Self { members }
    }

    /// Whether there is nothing to store: no member, or every member null or `""`.
    pub fn is_empty(&self) -> bool {
        self.members
            .iter()
            .all(|(_, value)| value.is_null() || value.as_str() == Some(""))
    }

    /// The rules of explicitly declared fields: a required one must be there, a NUMBER must be one. Undeclared
    /// members are kept. Paths are relative to the credential.
    pub fn check(&self, fields: &[DeclaredField]) -> Vec<Issue> {
        self.check_beside(fields, &[])
    }

    /// [`Credential::check`], beside credentials of these names that are inherited: they need not be there.
    pub fn check_beside(&self, fields: &[DeclaredField], shared: &[String]) -> Vec<Issue> {
        let satisfied = self.sole_secret(fields, shared);
        let mut issues = Vec::new();
        for field in fields
            .iter()
            .filter(|field| Some(field.slug.as_str()) != satisfied)
        {
            let path = || vec![Segment::from(field.slug.clone())];
            let required = field.required && !shared.contains(&field.slug);
            match self.members.get(&field.slug) {
                None | Some(Json::Null) if required => {
                    issues.push(Issue::new(path(), Rule::Required));
                }
                Some(Json::String(text)) if required && text.is_empty() => {
                    issues.push(Issue::new(path(), Rule::Required));
                }
                _ if field.kind == FieldKind::Number => {
                    issues.extend(self.check_numbers([field.slug.as_str()]));
                }
                _ => {}
            }
        }
        issues
    }

    /// That each of these members, where it is there, is a number.
    pub fn check_numbers<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Vec<Issue> {
        let wrong = |name: &str| {
            let value = self.members.get(name).filter(|value| !is_number(value))?;
            Some(Issue::at(name.to_owned(), no_number(value)))
        };
        names.into_iter().filter_map(wrong).collect()
    }

    /// The slug of the only secret field that is not inherited, where the credential holds a `token` or `api_key` that
    /// stands for it.
    fn sole_secret<'a>(&self, fields: &'a [DeclaredField], shared: &[String]) -> Option<&'a str> {
        let own = |field: &&DeclaredField| field.is_secret() && !shared.contains(&field.slug);
        let mut secrets = fields.iter().filter(own);
        let sole = secrets.next().filter(|_| secrets.next().is_none())?;
        let holds = |name| {
            self.members
                .get(name)
                .and_then(Json::as_str)
                .is_some_and(|text| !text.is_empty())
        };
        (holds("token") || holds("api_key")).then_some(sole.slug.as_str())
    }

    /// The content to seal.
    pub fn to_secret(&self) -> Secret {
        Secret::json(&Json::Object(self.members.clone()))
    }
}

/// What is wrong with a value that is no number: its text, or its kind.
fn no_number(value: &Json) -> Rule {
    match value.kind() {
        JsonKind::String => Rule::NotANumber,
        received => Rule::Type {
            expected: Expected::Number,
            received,
        },
    }
}

/// A JSON number, or a text that holds one: forms send texts. Null and the empty text stand for no value.
fn is_number(value: &Json) -> bool {
    match value {
        Json::Number(_) | Json::Null => true,
        Json::String(text) => text.is_empty() || holds_number(text),
        _ => false,
    }
}

/// Whether a text holds a number.
pub(super) fn holds_number(text: &str) -> bool {
    text.trim().parse::<f64>().is_ok_and(f64::is_finite)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(slug: &str, kind: FieldKind, required: bool) -> DeclaredField {
        DeclaredField {
            slug: slug.into(),
            label: slug.into(),
            kind,
            description: String::new(),
            placeholder: None,
            required,
            default: None,
        }
    }

    fn members(json: &str) -> Credential {
        match Json::parse(json.as_bytes()) {
            Ok(Json::Object(members)) => Credential::of_members(members),
            _ => panic!("not an object"),
        }
    }

    #[test]
    fn null_and_empty_members_are_nothing_to_store() {
        assert!(members("{}").is_empty());
        assert!(members(r#"{"a":null,"b":""}"#).is_empty());
        assert!(!members(r#"{"a":" "}"#).is_empty());
        assert!(!members(r#"{"a":{}}"#).is_empty());
    }

    #[test]
    fn a_missing_required_field_and_a_wrong_number_are_both_named() {
        let fields = [
            field("shop", FieldKind::Text, true),
            field("port", FieldKind::Number, false),
            field("note", FieldKind::Text, false),
        ];
        let issues = members(r#"{"port":"x"}"#).check(&fields);
        assert_eq!(
            issues,
            [
                Issue::at("shop", Rule::Required),
                Issue::at("port", Rule::NotANumber)
            ]
        );
        assert_eq!(
            members(r#"{"shop":"s","port":5432,"more":1}"#).check(&fields),
            []
        );
    }

    #[test]
    fn what_is_inherited_need_not_be_there_and_no_token_stands_for_it() {
        let fields = [
            field("team_key", FieldKind::Password, true),
            field("key", FieldKind::Password, true),
        ];
        let shared = ["team_key".to_owned()];
        let issues = |json| members(json).check_beside(&fields, &shared);
        assert_eq!(issues(r#"{"key":"k"}"#), []);
        assert_eq!(issues(r#"{"api_key":"k","team_key":""}"#), []);
        assert_eq!(
            issues(r#"{"team_key":"own"}"#),
            [Issue::at("key", Rule::Required)]
        );
    }

    #[test]
    fn a_token_satisfies_a_sole_secret_field_and_nothing_else() {
        let token = || Credential::of_key(Some(Json::from("t")), None);
        let sole = [field("secret_key", FieldKind::Password, true)];
        assert_eq!(token().check(&sole), []);
        let two = [
            field("a", FieldKind::Password, true),
            field("b", FieldKind::Password, true),
        ];
        assert_eq!(token().check(&two).len(), 2);
        let with_text = [
            field("a", FieldKind::Password, true),
            field("shop", FieldKind::Text, true),
        ];
        assert_eq!(
            token().check(&with_text),
            [Issue::at("shop", Rule::Required)]
        );
    }
}
