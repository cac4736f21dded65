//! The form as it is rendered. Values of secrets have no place in it.

use askama::Template;
use axum::response::Response;
use http::StatusCode;
use url::Url;

use super::answer::{FormTargets, page};
use super::guard::{Nonce, Page};
use crate::domain::auth_config::FieldKind;
use crate::domain::connect::{ConnectPage, InputFault, Typed};
use crate::domain::error::Rule;
use crate::domain::expected_fields::ExpectedField;

/// The style of all pages, which their policy allows by its hash.
pub(super) const STYLE: &str = include_str!("templates/style.css");
/// The input that holds the form's proof.
pub(super) const PROOF: &str = "proof";

/// The name of a field's input: no field can be taken for an input of the page's own.
pub(super) fn input_name(slug: &str) -> String {
    format!("field.{slug}")
}

#[derive(Template)]
#[template(path = "form.html", config = "src/http/connect/askama.toml")]
struct FormPage<'a> {
    integration: &'a str,
    initial: char,
    host: &'a str,
    back: Option<String>,
    proof: String,
    has_required: bool,
    fields: Vec<Field<'a>>,
    problems: Vec<Problem>,
    /// Whether a secret was typed that is to be typed again.
    secrets_gone: bool,
}

/// One input.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, as on the page"
)]
struct Field<'a> {
    id: String,
    name: String,
    label: &'a str,
    help: &'a str,
    placeholder: Option<&'a str>,
    described_by: Option<String>,
    error: Option<String>,
    value: &'a str,
    required: bool,
    secret: bool,
    is_area: bool,
    is_number: bool,
    focus: bool,
}

/// One line of the summary, which leads to its input.
struct Problem {
    id: String,
    words: String,
}

/// A form and all that it is rendered from.
pub(super) struct Shown<'a> {
    pub(super) page: &'a Page<'a>,
    pub(super) nonce: &'a Nonce,
    pub(super) found: &'a ConnectPage,
    pub(super) fields: &'a [ExpectedField],
}

impl<'a> Shown<'a> {
    /// As it is shown first, with the defaults that are no secrets.
    pub(super) fn fresh(&self) -> Response {
        let value = |field: &'a ExpectedField| field.default.as_deref().unwrap_or_default();
        self.rendered(StatusCode::OK, value, &[])
    }

    /// With what was typed and what is wrong with it.
    pub(super) fn faulty(&self, typed: &'a Typed, faults: &[InputFault]) -> Response {
        let value = |field: &'a ExpectedField| typed.get(&field.slug).unwrap_or_default();
        self.rendered(StatusCode::UNPROCESSABLE_ENTITY, value, faults)
    }

    fn rendered(
        &self,
        status: StatusCode,
        value: impl Fn(&'a ExpectedField) -> &'a str,
        faults: &[InputFault],
    ) -> Response {
        let mut focus = faults.iter().find_map(|fault| fault.field.as_deref());
        if focus.is_none() && !faults.is_empty() {
            focus = self.fields.first().map(|field| field.slug.as_str());
        }
        let field = |field: &'a ExpectedField| {
            let fault = faults
                .iter()
                .find(|fault| fault.field.as_ref() == Some(&field.slug));
            let error = fault.map(|fault| words(&field.label, &fault.rule));
            let value = if field.secret { "" } else { value(field) };
            shown(field, value, error, focus == Some(&field.slug))
        };
        let fields: Vec<Field<'a>> = self.fields.iter().map(field).collect();
        let secrets_gone = !faults.is_empty()
            && self
                .fields
                .iter()
                .any(|field| field.secret && !value(field).is_empty());
        let template = FormPage {
            integration: &self.found.integration,
            initial: initial(&self.found.integration),
            host: self.page.host(),
            back: self.found.callback_url.as_deref().and_then(host),
            proof: self.nonce.proof(self.page),
            has_required: fields.iter().any(|field| field.required),
            problems: faults
                .iter()
                .filter_map(|fault| problem(&fields, fault))
                .collect(),
            fields,
            secrets_gone,
        };
        let targets = FormTargets::and(self.found.callback_url.as_deref());
        page(status, &template, &targets)
    }
}

fn shown<'a>(
    field: &'a ExpectedField,
    value: &'a str,
    error: Option<String>,
    focus: bool,
) -> Field<'a> {
    let id = format!("field-{}", field.slug);
    let help = (!field.description.is_empty()).then(|| format!("{id}-help"));
    let described: Vec<String> = help
        .into_iter()
        .chain(error.is_some().then(|| format!("{id}-error")))
        .collect();
    Field {
        name: input_name(&field.slug),
        label: &field.label,
        help: &field.description,
        placeholder: field.placeholder.as_deref().filter(|text| !text.is_empty()),
        described_by: (!described.is_empty()).then(|| described.join(" ")),
        error,
        value,
        required: field.required,
        secret: field.secret,
        is_area: field.kind == FieldKind::MultiLineText,
        is_number: field.kind == FieldKind::Number,
        focus,
        id,
    }
}

fn problem(fields: &[Field<'_>], fault: &InputFault) -> Option<Problem> {
    let Some(slug) = &fault.field else {
        let words = "Fill in at least one field.".to_owned();
        let id = fields.first()?.id.clone();
        return Some(Problem { id, words });
    };
    let name = input_name(slug);
    let field = fields.iter().find(|field| field.name == name)?;
    Some(Problem {
        id: field.id.clone(),
        words: field.error.clone()?,
    })
}

/// What is wrong, in words. They never repeat the value.
fn words(label: &str, rule: &Rule) -> String {
    match rule {
        Rule::Required => format!("Enter a value for “{label}”."),
        Rule::NotANumber => format!("“{label}” must be a number."),
        Rule::TooLong { .. } => format!("“{label}” is too long."),
        Rule::NulCharacter => format!("“{label}” holds a character that cannot be stored."),
        _ => format!("“{label}” cannot be taken as it is."),
    }
}

/// The first character of a name that says something.
pub(super) fn initial(name: &str) -> char {
    let first = name.chars().find(|first| first.is_alphanumeric());
    first.map_or('·', |first| first.to_uppercase().next().unwrap_or(first))
}

fn host(url: &str) -> Option<String> {
    Url::parse(url).ok()?.host_str().map(str::to_owned)
}
