//! Members in the forms that a strict reader takes: of text, but for those that it knows otherwise.

use super::{Json, Object};

/// What a reader takes for the value of a member, where it is not only a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `true` or `false`.
    Boolean,
    /// A number.
    Number,
    /// A number or a text.
    NumberOrText,
    /// A text or a list of texts.
    TextOrTexts,
    /// An object.
    Map,
    /// An object in which these members, where they are there, are texts.
    MapOfTexts(&'static [&'static str]),
}

impl Form {
    /// Whether the value has the form.
    fn takes(self, value: &Json) -> bool {
        match self {
            Self::Boolean => value.as_bool().is_some(),
            Self::Number => value.as_number().is_some(),
            Self::NumberOrText => value.as_number().or(value.as_str()).is_some(),
            Self::TextOrTexts => value.as_str().is_some() || is_texts(value),
            Self::Map => value.as_object().is_some(),
            Self::MapOfTexts(names) => value.as_object().is_some_and(|members| {
                let mut texts = names.iter().filter_map(|name| members.get(name));
                texts.all(|value| value.as_str().is_some())
            }),
        }
    }

    /// Whether a text has the form.
    fn takes_text(self) -> bool {
        matches!(self, Self::NumberOrText | Self::TextOrTexts)
    }
}

fn is_texts(value: &Json) -> bool {
    let items = value.as_array();
    items.is_some_and(|items| items.iter().all(|item| item.as_str().is_some()))
}

impl Object {
    /// The members as texts: what is none already becomes its JSON text. Those of `forms` stay as they are where they
    /// have their form, else become texts where that form takes them, else are left out. Null is left out.
    #[must_use]
    pub fn in_forms(&self, forms: &[(&str, Form)]) -> Self {
        let shaped = |(name, value): (&str, &Json)| {
            let form = forms.iter().find(|(known, _)| *known == name);
            let value = match form {
                _ if value.is_null() => return None,
                Some((_, form)) if form.takes(value) => value.clone(),
                Some((_, form)) if !form.takes_text() => return None,
                _ => value.to_text(),
            };
            Some((name.to_owned(), value))
        };
        self.iter().filter_map(shaped).collect()
    }
}

impl Json {
    /// A text stays; anything else becomes its JSON text.
    #[must_use]
    pub fn to_text(&self) -> Self {
        match self {
            Self::String(_) => self.clone(),
            other => String::from_utf8_lossy(&other.to_bytes())
                .into_owned()
                .into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(text: &str) -> Object {
        match Json::parse(text.as_bytes()) {
            Ok(Json::Object(members)) => members,
            _ => panic!("no object"),
        }
    }

    fn shaped(text: &str, forms: &[(&str, Form)]) -> String {
        let shaped = Json::Object(object(text).in_forms(forms));
        String::from_utf8(shaped.to_bytes().to_vec()).expect("UTF-8")
    }

    #[test]
    fn members_without_a_form_are_texts_and_null_is_none() {
        assert_eq!(
            shaped(
                r#"{"a":"x","b":1.50,"c":null,"d":[1],"e":{"f":false}}"#,
                &[]
            ),
            r#"{"a":"x","b":"1.50","d":"[1]","e":"{\"f\":false}"}"#
        );
    }

    #[test]
    fn a_member_of_a_form_keeps_it_or_becomes_a_text_or_goes() {
        let forms = [
            ("flag", Form::Boolean),
            ("at", Form::Number),
            ("in", Form::NumberOrText),
            ("scope", Form::TextOrTexts),
            ("user", Form::MapOfTexts(&["token"])),
            ("more", Form::Map),
        ];
        let fitting = r#"{"flag":true,"at":1.0,"in":3600,"scope":["a"],"user":{"token":"t","n":1},"more":{}}"#;
        assert_eq!(shaped(fitting, &forms), fitting);
        assert_eq!(
            shaped(
                r#"{"flag":"true","at":"1","in":[1],"scope":["a",1],"user":{"token":1},"more":[]}"#,
                &forms
            ),
            r#"{"in":"[1]","scope":"[\"a\",1]"}"#
        );
        assert_eq!(
            shaped(r#"{"in":"3600","scope":"a b"}"#, &forms),
            r#"{"in":"3600","scope":"a b"}"#
        );
    }
}
