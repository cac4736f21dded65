//! What a user is asked for, and what was typed.

use std::fmt;

use zeroize::Zeroizing;

use super::InputFault;
use crate::crypto::Secret;
use crate::domain::auth_config::{AuthConfig, FieldKind};
use crate::domain::cell_rules::check_text;
use crate::domain::credential::holds_number;
use crate::domain::error::Rule;
use crate::domain::expected_fields::{ExpectedField, lacking, of, with_demanded};
use crate::domain::integration::Integration;
use crate::json::{Json, Object};

/// What was typed, by the slugs of the fields. Wiped when dropped.
#[derive(Default)]
pub struct Typed(Vec<(String, Zeroizing<String>)>);

impl Typed {
    /// Notes what was typed into a field; of two values for one field the first counts.
    pub fn note(&mut self, slug: String, value: Zeroizing<String>) {
        if self.get(&slug).is_none() {
            self.0.push((slug, value));
        }
    }

    /// What was typed into a field.
    pub fn get(&self, slug: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == slug)?;
        Some(&found.1)
    }
}

impl fmt::Debug for Typed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Typed(…)")
    }
}

/// The fields of one connection with what is known without its user.
#[derive(Debug)]
pub(super) struct Inputs<'a> {
    config: &'a AuthConfig,
    fields: Vec<ExpectedField>,
    given: &'a Secret,
    shared: &'a [String],
}

impl<'a> Inputs<'a> {
    /// Under this config, whose shared credentials hold values for `shared`, where the platform gave `given`.
    pub(super) fn new(
        config: &'a AuthConfig,
        integration: &Integration,
        shared: &'a [String],
        given: &'a Secret,
    ) -> Self {
        let fields = of(config, integration, shared.iter().map(String::as_str));
        Self {
            config,
            fields: with_demanded(&config.scheme, fields),
            given,
            shared,
        }
    }

    fn is_known(&self, slug: &str) -> bool {
        self.given.has(slug) || self.shared.iter().any(|shared| shared == slug)
    }

    /// The fields that the user is asked for: those that nobody gave yet. One is required where the connection is not
    /// ready without it.
    pub(super) fn asked(&self) -> Vec<ExpectedField> {
        let lacking = lacking(&self.config.scheme, &self.fields, |slug| {
            self.is_known(slug)
        });
        let lacks = |slug: &str| lacking.iter().any(|(lacking, _)| lacking == slug);
        let mut asked = self.fields.clone();
        // What is required and yet not lacking: another member stands for it.
        asked
            .retain(|field| !self.is_known(&field.slug) && (!field.required || lacks(&field.slug)));
        for field in &mut asked {
            let has_hidden_default = field.secret && field.default.is_some();
            field.required = lacks(&field.slug) && !has_hidden_default;
        }
        asked
    }

    /// The credential: what was given with what was typed; or everything that is wrong with that.
    pub(super) fn credential(&self, typed: &Typed) -> Result<Secret, Vec<InputFault>> {
        let asked = self.asked();
        let (mut members, mut faults) = (Object::new(), Vec::new());
        for field in &asked {
            let value = value(field, typed);
            if let Some(rule) = broken(field, &value) {
                let field = Some(field.slug.clone());
                faults.push(InputFault { field, rule });
            } else if !value.is_empty() {
                members.insert(field.slug.clone(), Json::String(value));
            }
        }
        if faults.is_empty() && members.is_empty() && !asked.is_empty() && self.nothing_is_known() {
            faults.push(InputFault {
                field: None,
                rule: Rule::Required,
            });
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let typed = Secret::json(&Json::Object(members));
        Ok(typed.over(self.given))
    }

    fn nothing_is_known(&self) -> bool {
        self.shared.is_empty() && self.given.same_as("{}")
    }
}

/// The value of a field: what was typed, or a default that the user could not see. Browsers send lines that end with
/// CRLF, whatever was typed or pasted.
fn value(field: &ExpectedField, typed: &Typed) -> Zeroizing<String> {
    let text = typed.get(&field.slug).unwrap_or_default();
    let text = match &field.default {
        Some(default) if field.secret && text.is_empty() => default,
        _ => text,
    };
    Zeroizing::new(match field.kind {
        FieldKind::MultiLineText => text.replace("\r\n", "\n"),
        FieldKind::Number => text.trim().to_owned(),
        FieldKind::Text | FieldKind::Password | FieldKind::EmbeddingModel => text.to_owned(),
    })
}

fn broken(field: &ExpectedField, value: &str) -> Option<Rule> {
    if value.is_empty() {
        return field.required.then_some(Rule::Required);
    }
    let number = field.kind == FieldKind::Number && !holds_number(value);
    check_text(value).or(number.then_some(Rule::NotANumber))
}
