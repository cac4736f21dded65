//! Every arm that is shown, as the exact JSON that the public SDKs were found to take.

use serde_json::json;

use super::*;
use crate::crypto::Audited;

/// What a connection of this scheme and status shows of the credential, masked and in the clear.
fn states(scheme: &str, status: &str, credential: Option<&str>) -> [String; 2] {
    let scheme = Scheme::from_name(scheme).unwrap();
    let status = Status::from_name(status).unwrap();
    let secret = |text: &str| Secret::json(&Json::parse(text.as_bytes()).unwrap());
    let masked = credential.map_or(Content::None, |text| Content::Masked {
        members: secret(text).shown(),
        texts: secret(text).text_names(),
    });
    let plain = credential.map_or(Content::None, |text| Content::Plain {
        secret: secret(text),
        audited: Audited::of_a_test(),
    });
    [masked, plain].map(|content| {
        let (state, _) = AccountState::with_data(&scheme, status, content);
        serde_json::to_string(&state).unwrap()
    })
}

/// The state as JSON text, its members in this order.
fn state(scheme: &str, val: &str) -> String {
    format!(r#"{{"authScheme":"{scheme}","val":{val}}}"#)
}

/// A whole credential of each scheme, and what is shown of it beside `status`: masked, in the clear.
const WHOLE: &[(&str, &str, &str, &str)] = &[
    (
        "OAUTH2",
        r#"{"access_token":"a-long-enough-one","refresh_token":"r","expires_in":3600}"#,
        r#""access_token":"a-lo...","refresh_token":"...","expires_in":"...""#,
        r#""access_token":"a-long-enough-one","refresh_token":"r","expires_in":3600"#,
    ),
    (
        "OAUTH1",
        r#"{"oauth_token":"t","oauth_token_secret":"s"}"#,
        r#""oauth_token":"...","oauth_token_secret":"...""#,
        r#""oauth_token":"t","oauth_token_secret":"s""#,
    ),
    (
        "API_KEY",
        r#"{"generic_api_key":"k"}"#,
        r#""generic_api_key":"...""#,
        r#""generic_api_key":"k""#,
    ),
    (
        "BASIC",
        r#"{"username":"u"}"#,
        r#""password":"","username":"...""#,
        r#""password":"","username":"u""#,
    ),
    (
        "BILLCOM_AUTH",
        r#"{"sessionId":"s","devKey":"d"}"#,
        r#""sessionId":"...","devKey":"...""#,
        r#""sessionId":"s","devKey":"d""#,
    ),
    (
        "BEARER_TOKEN",
        r#"{"token":"t"}"#,
        r#""token":"...""#,
        r#""token":"t""#,
    ),
    (
        "GOOGLE_SERVICE_ACCOUNT",
        r#"{"credentials_json":"{}"}"#,
        r#""credentials_json":"...""#,
        r#""credentials_json":"{}""#,
    ),
    ("NO_AUTH", r#"{"x":"y"}"#, r#""x":"...""#, r#""x":"y""#),
    (
        "BASIC_WITH_JWT",
        r#"{"username":"u","password":"p"}"#,
        r#""username":"...","password":"...""#,
        r#""username":"u","password":"p""#,
    ),
    ("CALCOM_AUTH", r#"{"x":"y"}"#, r#""x":"...""#, r#""x":"y""#),
    (
        "SERVICE_ACCOUNT",
        r#"{"application_id":"1","installation_id":"2","private_key":"3"}"#,
        r#""application_id":"...","installation_id":"...","private_key":"...""#,
        r#""application_id":"1","installation_id":"2","private_key":"3""#,
    ),
    ("SAML", r#"{"x":"y"}"#, r#""x":"...""#, r#""x":"y""#),
    (
        "DCR_OAUTH",
        r#"{"client_id":"c","access_token":"a"}"#,
        r#""client_id":"c","access_token":"...""#,
        r#""client_id":"c","access_token":"a""#,
    ),
    (
        "S2S_OAUTH2",
        r#"{"client_id":"c","client_secret":"s","access_token":"a"}"#,
        r#""client_id":"c","client_secret":"...","access_token":"...""#,
        r#""client_id":"c","client_secret":"s","access_token":"a""#,
    ),
];
/// Under which arms each whole credential of `WHOLE` is shown as FAILED, EXPIRED and REVOKED.
const ENDED: &[(&str, [(&str, &str); 3])] = &[
    (
        "OAUTH2",
        [
            ("OAUTH2", "FAILED"),
            ("OAUTH2", "EXPIRED"),
            ("OAUTH2", "REVOKED"),
        ],
    ),
    (
        "OAUTH1",
        [
            ("OAUTH1", "FAILED"),
            ("OAUTH1", "EXPIRED"),
            ("OAUTH1", "INACTIVE"),
        ],
    ),
    ("API_KEY", [("API_KEY", "INACTIVE"); 3]),
    ("BASIC", [("BASIC", "INACTIVE"); 3]),
    ("BEARER_TOKEN", [("BEARER_TOKEN", "INACTIVE"); 3]),
    (
        "GOOGLE_SERVICE_ACCOUNT",
        [("GOOGLE_SERVICE_ACCOUNT", "INACTIVE"); 3],
    ),
    ("SERVICE_ACCOUNT", [("SERVICE_ACCOUNT", "INACTIVE"); 3]),
    (
        "NO_AUTH",
        [
            ("NO_AUTH", "FAILED"),
            ("NO_AUTH", "EXPIRED"),
            ("NO_AUTH", "INACTIVE"),
        ],
    ),
    (
        "BASIC_WITH_JWT",
        [
            ("BASIC_WITH_JWT", "FAILED"),
            ("BASIC_WITH_JWT", "EXPIRED"),
            ("BASIC_WITH_JWT", "INACTIVE"),
        ],
    ),
    (
        "BILLCOM_AUTH",
        [
            ("BILLCOM_AUTH", "FAILED"),
            ("BILLCOM_AUTH", "EXPIRED"),
            ("BILLCOM_AUTH", "INACTIVE"),
        ],
    ),
    (
        "DCR_OAUTH",
        [
            ("DCR_OAUTH", "FAILED"),
            ("DCR_OAUTH", "EXPIRED"),
            ("OAUTH2", "REVOKED"),
        ],
    ),
    (
        "S2S_OAUTH2",
        [
            ("S2S_OAUTH2", "FAILED"),
            ("S2S_OAUTH2", "EXPIRED"),
            ("OAUTH2", "REVOKED"),
        ],
    ),
];

#[test]
fn a_whole_credential_is_shown_under_its_own_scheme() {
    for status in ["ACTIVE", "INACTIVE"] {
        for (scheme, credential, masked, plain) in WHOLE {
            let val = |members: &str| format!(r#"{{"status":"{status}",{members}}}"#);
            assert_eq!(
                states(scheme, status, Some(credential)),
                [state(scheme, &val(masked)), state(scheme, &val(plain))],
                "{scheme} {status}"
            );
        }
    }
}

#[test]
fn an_ended_one_is_shown_under_the_nearest_arm() {
    for (scheme, arms) in ENDED {
        let (_, credential, masked, plain) = WHOLE.iter().find(|whole| whole.0 == *scheme).unwrap();
        for (status, (shown, told)) in ["FAILED", "EXPIRED", "REVOKED"].into_iter().zip(arms) {
            let val = |members: &str| format!(r#"{{"status":"{told}",{members}}}"#);
            assert_eq!(
                states(scheme, status, Some(credential)),
                [state(shown, &val(masked)), state(shown, &val(plain))],
                "{scheme} {status}"
            );
        }
    }
}

#[test]
fn without_a_credential_only_the_status_is_shown() {
    for (scheme, status, shown, told) in [
        ("OAUTH2", "INITIALIZING", "OAUTH2", "INITIALIZING"),
        ("CIMD_OAUTH", "INITIALIZING", "DCR_OAUTH", "INITIALIZING"),
        ("API_KEY", "INITIALIZING", "API_KEY", "INITIALIZING"),
        ("BASIC", "INITIALIZING", "BASIC", "INITIALIZING"),
        ("NO_AUTH", "INITIALIZING", "NO_AUTH", "INITIALIZING"),
        ("NO_AUTH", "ACTIVE", "NO_AUTH", "ACTIVE"),
        ("NO_AUTH", "INACTIVE", "NO_AUTH", "INACTIVE"),
        // No redirect is pending.
        ("OAUTH2", "INITIATED", "OAUTH2", "INITIALIZING"),
        ("DCR_OAUTH", "INITIATED", "DCR_OAUTH", "INITIALIZING"),
        ("OAUTH2", "EXPIRED", "OAUTH2", "EXPIRED"),
        ("OAUTH2", "FAILED", "OAUTH2", "FAILED"),
        ("OAUTH2", "REVOKED", "OAUTH2", "REVOKED"),
        ("DCR_OAUTH", "REVOKED", "OAUTH2", "REVOKED"),
        ("CIMD_OAUTH", "REVOKED", "OAUTH2", "REVOKED"),
        ("S2S_OAUTH2", "REVOKED", "OAUTH2", "REVOKED"),
        ("OAUTH1", "REVOKED", "API_KEY", "INACTIVE"),
        ("API_KEY", "REVOKED", "API_KEY", "INACTIVE"),
        ("BEARER_TOKEN", "REVOKED", "API_KEY", "INACTIVE"),
        ("BASIC", "REVOKED", "API_KEY", "INACTIVE"),
        ("NO_AUTH", "REVOKED", "NO_AUTH", "INACTIVE"),
        ("BASIC_WITH_JWT", "EXPIRED", "API_KEY", "INACTIVE"),
    ] {
        let expected = state(shown, &json!({ "status": told }).to_string());
        assert_eq!(
            states(scheme, status, None),
            [expected.clone(), expected],
            "{scheme} {status}"
        );
    }
}

#[test]
fn a_credential_without_the_members_of_its_scheme_is_an_api_key_with_texts() {
    let credential = r#"{"token":"a-long-enough-one","port":5432,"more":{"n":[1]},"none":null,"long_redirect_url":true}"#;
    let plain = r#""token":"a-long-enough-one","port":"5432","more":"{\"n\":[1]}","long_redirect_url":true"#;
    let masked = r#""token":"a-lo...","port":"...","more":"...","none":"...""#;
    for scheme in [
        "OAUTH2",
        "DCR_OAUTH",
        "CIMD_OAUTH",
        "S2S_OAUTH2",
        "BASIC",
        "SERVICE_ACCOUNT",
        "OAUTH1",
    ] {
        for status in ["ACTIVE", "INACTIVE"] {
            let val = |members: &str| format!(r#"{{"status":"{status}",{members}}}"#);
            assert_eq!(
                states(scheme, status, Some(credential)),
                [
                    state("API_KEY", &val(masked)),
                    state("API_KEY", &val(plain))
                ],
                "{scheme} {status}"
            );
        }
    }
    // A member that is no text is not there, and one of another scheme is a text like any.
    assert_eq!(
        states(
            "BEARER_TOKEN",
            "ACTIVE",
            Some(r#"{"token":1,"expires_in":[1]}"#)
        )[1],
        state(
            "API_KEY",
            r#"{"status":"ACTIVE","token":"1","expires_in":"[1]"}"#
        )
    );
}

#[test]
fn a_client_of_a_metadata_document_is_shown_as_a_registered_one() {
    let whole = r#"{"client_id":"https://c.example","access_token":"a"}"#;
    assert_eq!(
        states("CIMD_OAUTH", "ACTIVE", Some(whole))[1],
        state(
            "DCR_OAUTH",
            r#"{"status":"ACTIVE","client_id":"https://c.example","access_token":"a"}"#
        )
    );
}

#[test]
fn members_of_oauth_keep_the_forms_that_the_sdks_take_and_lose_others() {
    let fitting = r#""access_token":"a","expires_in":3600,"scope":["a","b"],"long_redirect_url":false,"authed_user":{"scope":"x"},"extra_token_data":{"n":1},"client_id_issued_at":1.5"#;
    assert_eq!(
        states("OAUTH2", "ACTIVE", Some(&format!("{{{fitting}}}")))[1],
        state("OAUTH2", &format!(r#"{{"status":"ACTIVE",{fitting}}}"#))
    );
    let other = r#"{"access_token":"a","expires_in":[1],"scope":{"a":1},"long_redirect_url":"x","authed_user":{"scope":1},"extra_token_data":1,"client_id_issued_at":"x","id_token":5}"#;
    assert_eq!(
        states("OAUTH2", "ACTIVE", Some(other))[1],
        state(
            "OAUTH2",
            r#"{"status":"ACTIVE","access_token":"a","expires_in":"[1]","scope":"{\"a\":1}","id_token":"5"}"#
        )
    );
}

#[test]
fn the_status_is_ours_and_what_is_stored_stays_in_data() {
    let content = Content::Plain {
        secret: Secret::from(String::from(
            r#"{"status":"mine","token":"t","n":1.0,"n2":null}"#,
        )),
        audited: Audited::of_a_test(),
    };
    let (shown, data) = AccountState::with_data(&Scheme::Bearer, Status::Active, content);
    assert_eq!(
        serde_json::to_string(&shown).unwrap(),
        state(
            "BEARER_TOKEN",
            r#"{"status":"ACTIVE","token":"t","n":"1.0"}"#
        )
    );
    assert_eq!(
        serde_json::to_string(&data).unwrap(),
        r#"{"status":"mine","token":"t","n":1.0,"n2":null}"#
    );
}
