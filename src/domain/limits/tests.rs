use super::*;
use crate::domain::auth_config::{AuthKind, FieldKind, OAuthClientChange};
use crate::domain::connection::NewInstance;
use crate::domain::integration::NewIntegration;

/// A text of exactly this many UTF-16 units that ends with an emoji (two units, four bytes).
fn units(length: usize) -> String {
    "ä".repeat(length - 2) + "🔑"
}

fn field() -> DeclaredField {
    DeclaredField {
        slug: "key".to_owned(),
        label: "Key".to_owned(),
        kind: FieldKind::Password,
        description: String::new(),
        placeholder: None,
        required: true,
        default: None,
    }
}

fn setting(fields: Vec<DeclaredField>) -> IntegrationAuth {
    IntegrationAuth {
        kind: AuthKind::OAuth,
        fields,
        test_code: Patch::Keep,
        oauth_client: Patch::Keep,
    }
}

fn path(segments: &[&'static str]) -> Vec<Segment> {
    segments
        .iter()
        .map(|segment| {
            segment
                .parse::<usize>()
                .map_or(Segment::from(*segment), Segment::from)
        })
        .collect()
}

#[test]
fn an_integration_has_a_name_of_1_to_40_and_a_description_of_up_to_90_units() {
    let new =
        |name: String, description: String| broken_limits(&NewIntegration { name, description });
    assert_eq!(new(units(40), units(90)), []);
    assert_eq!(new("n".to_owned(), String::new()), []);
    assert_eq!(
        new(units(41), units(91)),
        [
            Issue::at("description", Rule::TooLong { max: 90 }),
            Issue::at("name", Rule::TooLong { max: 40 }),
        ]
    );
    assert_eq!(
        new(String::new(), String::new()),
        [Issue::at("name", Rule::TooShort { min: 1 })]
    );
    assert_eq!(
        new("a\0".to_owned(), String::new()),
        [Issue::at("name", Rule::NulCharacter)]
    );
}

#[test]
fn every_member_of_a_field_has_its_limit() {
    let at_limit = DeclaredField {
        slug: "s".repeat(100),
        label: units(100),
        description: units(500),
        placeholder: Some(units(200)),
        ..field()
    };
    assert_eq!(broken_limits(&setting(vec![at_limit])), []);

    let past = DeclaredField {
        slug: "s".repeat(101),
        label: units(101),
        description: units(501),
        placeholder: Some(units(201)),
        ..field()
    };
    assert_eq!(
        broken_limits(&setting(vec![field(), past])),
        [
            Issue::new(
                path(&["fields", "1", "description"]),
                Rule::TooLong { max: 500 }
            ),
            Issue::new(path(&["fields", "1", "label"]), Rule::TooLong { max: 100 }),
            Issue::new(
                path(&["fields", "1", "placeholder"]),
                Rule::TooLong { max: 200 }
            ),
            Issue::new(path(&["fields", "1", "slug"]), Rule::TooLong { max: 100 }),
        ]
    );
}

#[test]
fn too_many_fields_do_not_hide_what_is_wrong_with_one() {
    let mut fields = vec![field(); MAX_FIELDS];
    assert_eq!(broken_limits(&setting(fields.clone())), []);
    fields.push(DeclaredField {
        label: String::new(),
        ..field()
    });
    assert_eq!(
        broken_limits(&setting(fields)),
        [
            Issue::at("fields", Rule::TooMany { max: 100 }),
            Issue::new(path(&["fields", "100", "label"]), Rule::TooShort { min: 1 }),
        ]
    );
}

#[test]
fn slugs_are_ascii_names_and_no_properties_of_every_object() {
    for slug in ["a", "0", "api_key", "api-key", "A_-9", "constructors"] {
        assert_eq!(field_slug(slug), Ok(()), "{slug}");
    }
    for slug in ["_a", "-a", "a b", "a.b", "ключ", "é", "a\n", "🔑"] {
        assert_eq!(
            field_slug(slug).map_err(|finding| finding.code),
            Err("slug".into()),
            "{slug}"
        );
    }
    for slug in [
        "__proto__",
        "constructor",
        "prototype",
        "Constructor",
        "__PROTO__",
    ] {
        assert_eq!(
            field_slug(slug).map_err(|finding| finding.code),
            Err("reserved_slug".into()),
            "{slug}"
        );
    }
}

#[test]
fn every_member_of_an_oauth_client_has_its_limit() {
    let url = |length: usize| format!("https://a.example/{}", "u".repeat(length - 18));
    let client = |more: usize| {
        let text = |limit: usize| Patch::Set(units(limit + more));
        OAuthClientChange {
            scopes: text(2_000),
            auth_url: Patch::Set(url(2_000 + more)),
            token_url: Patch::Set(url(2_000 + more)),
            client_id: text(500).map(Into::into),
            client_secret: text(500).map(Into::into),
            label: text(100),
            authorization_code: text(1_000),
            access_token_code: text(1_000),
            refresh_token_code: text(1_000),
        }
    };
    let auth = |more: usize| IntegrationAuth {
        test_code: Patch::Set(units(1_000 + more)),
        oauth_client: Patch::Set(client(more)),
        ..setting(Vec::new())
    };
    assert_eq!(broken_limits(&auth(0)), []);
    let broken: Vec<_> = broken_limits(&auth(1))
        .into_iter()
        .map(|issue| match issue.rule {
            Rule::TooLong { max } => (
                issue
                    .path
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join("."),
                max,
            ),
            other => panic!("{other:?} at {:?}", issue.path),
        })
        .collect();
    let member = |name: &str, max: usize| (format!("oauth_client.{name}"), max);
    assert_eq!(
        broken,
        [
            member("access_token_code", 1_000),
            member("auth_url", 2_000),
            member("authorization_code", 1_000),
            member("client_id", 500),
            member("client_secret", 500),
            member("label", 100),
            member("refresh_token_code", 1_000),
            member("scopes", 2_000),
            member("token_url", 2_000),
            ("test_code".to_owned(), 1_000),
        ]
    );
}

#[test]
fn oauth_urls_are_absolute_without_user_info_or_fragment() {
    let url = |text: &str| oauth_url(&Patch::Set(text.to_owned())).is_ok();
    for text in [
        "https://a.example",
        "https://a.example:8443/authorize?prompt=consent&x=a@b",
        "HTTPS://A.example/",
        "http://a.example/token",
        "https://[2001:db8::1]/x",
        "https://münchen.example/",
    ] {
        assert!(url(text), "{text}");
    }
    for text in [
        "",
        "a.example",
        "/authorize",
        "//a.example/",
        "https:a.example",
        "https:///a.example",
        "https:\\\\a.example",
        "https://a.example\\b",
        " https://a.example",
        "https://a.exa\nmple/",
        "https://user@a.example/",
        "https://user:pass@a.example/",
        "https://@a.example/",
        "https://a.example/#",
        "https://a.example/#part",
        "ftp://a.example/",
        "javascript://a.example/",
        "data:text/plain,x",
        "https://",
        "https://a b/",
    ] {
        assert!(!url(text), "{text}");
    }
    assert!(oauth_url(&Patch::Clear).is_ok() && oauth_url(&Patch::Keep).is_ok());
}

/// `validator` adds the value of a member that breaks a rule to its finding.
#[test]
fn a_finding_holds_nothing_of_what_a_patch_sets() {
    let secret = "a secret ".repeat(100);
    let client = OAuthClientChange {
        scopes: Patch::Set(secret.repeat(3)),
        auth_url: Patch::Set(secret.clone()),
        client_id: Patch::Set(secret.clone().into()),
        client_secret: Patch::Set(secret.clone().into()),
        label: Patch::Set(secret),
        ..OAuthClientChange::default()
    };
    let auth = IntegrationAuth {
        oauth_client: Patch::Set(client),
        ..setting(Vec::new())
    };
    let found = auth.validate().expect_err("broken limits");
    assert_eq!(broken_limits(&auth).len(), 5);
    assert!(!format!("{found:?}").contains("a secret"));
}

#[test]
fn a_users_id_and_a_platforms_name_have_1_to_2048_characters() {
    let new = |user_id: String, platform: Option<String>| {
        broken_limits(&NewInstance {
            service: "Slack".to_owned(),
            user_id,
            platform,
            read_only: false,
        })
    };
    let longest = "🔑".repeat(MAX_USER_ID);
    assert_eq!(new(longest.clone(), Some(longest.clone())), []);
    assert_eq!(new(longest.clone(), None), []);
    let longer = longest + "u";
    assert_eq!(
        new(longer.clone(), Some(longer)),
        [
            Issue::at("platform", Rule::TooLong { max: 2_048 }),
            Issue::at("user_id", Rule::TooLong { max: 2_048 }),
        ]
    );
    assert_eq!(
        new(String::new(), Some("a\0".to_owned())),
        [
            Issue::at("platform", Rule::NulCharacter),
            Issue::at("user_id", Rule::TooShort { min: 1 }),
        ]
    );
}
