//! A secret that is a JSON object, in the shape that a dialect shows: beside the stored form, in the same hand-out.

use super::{Audited, Plain, Secret};
use crate::json::{Form, Json};

impl Secret {
    /// The names of the members that are texts, in their order.
    pub fn text_names(&self) -> Vec<String> {
        let members = self.members();
        let texts = members.iter().filter(|(_, value)| value.as_str().is_some());
        texts.map(|(name, _)| name.to_owned()).collect()
    }

    /// With the members in these forms ([`Object::in_forms`]), and without that of the name `without`.
    ///
    /// [`Object::in_forms`]: crate::json::Object::in_forms
    #[must_use]
    pub fn in_forms(&self, forms: &[(&str, Form)], without: &str) -> Self {
        let mut members = self.members();
        members.remove(without);
        Self::json(&Json::Object(members.in_forms(forms)))
    }

    /// [`Secret::hand_out`], together with another shape of the same content: one hand-out, one audit row.
    pub fn hand_out_with(self, shape: Self, audited: &Audited) -> (Plain, Plain) {
        (shape.into_plain(), self.hand_out(audited))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::json(&Json::parse(text.as_bytes()).expect("valid JSON"))
    }

    #[test]
    fn only_texts_are_named() {
        let stored = secret(r#"{"b":"x","a":1,"c":null,"d":"","e":["x"]}"#);
        assert_eq!(stored.text_names(), ["b", "d"]);
        assert_eq!(secret("1").text_names(), [""; 0]);
    }

    #[test]
    fn both_shapes_come_out_of_one_hand_out() {
        let stored = secret(r#"{"status":"mine","n":1.0}"#);
        let shape = stored.in_forms(&[], "status");
        let (shape, whole) = stored.hand_out_with(shape, &Audited::of_a_test());
        assert_eq!(
            serde_json::to_string(&shape).expect("JSON"),
            r#"{"n":"1.0"}"#
        );
        assert_eq!(
            serde_json::to_string(&whole).expect("JSON"),
            r#"{"status":"mine","n":1.0}"#
        );
    }
}
