//! Holds the compiled-in files to the catalogue's rules.

use std::collections::HashSet;

use super::*;

/// The mode names of Composio's `AUTH_SCHEME`.
const MODES: [&str; 15] = [
    "OAUTH2",
    "OAUTH1",
    "API_KEY",
    "BASIC",
    "BILLCOM_AUTH",
    "BEARER_TOKEN",
    "GOOGLE_SERVICE_ACCOUNT",
    "NO_AUTH",
    "BASIC_WITH_JWT",
    "CALCOM_AUTH",
    "SERVICE_ACCOUNT",
    "SAML",
    "DCR_OAUTH",
    "S2S_OAUTH2",
    "CIMD_OAUTH",
];

fn schemes() -> impl Iterator<Item = (&'static Entry, &'static SchemeEntry)> {
    Catalogue::built_in()
        .entries()
        .iter()
        .flat_map(|entry| entry.schemes.iter().map(move |scheme| (entry, scheme)))
}

fn all_fields(scheme: &SchemeEntry) -> impl Iterator<Item = &Field> {
    scheme.config_fields.iter().chain(&scheme.fields)
}

/// The slugs between braces in a URL.
fn placeholders(url: &str) -> Vec<&str> {
    url.split('{')
        .skip(1)
        .filter_map(|part| part.split_once('}').map(|(slug, _)| slug))
        .collect()
}

/// A URL with its placeholders filled in: a whole origin where it begins with one.
fn filled(url: &str) -> String {
    let mut filled = url.to_owned();
    for slug in placeholders(url) {
        let placeholder = format!("{{{slug}}}");
        let value = if url.starts_with(&placeholder) {
            "https://example.com"
        } else {
            "value"
        };
        filled = filled.replace(&placeholder, value);
    }
    filled
}

#[test]
fn every_file_is_an_entry_under_names_of_its_own() {
    let files = FILES
        .files()
        .map(|file| (file.path().to_str().unwrap(), file.contents_utf8().unwrap()));

    let loaded = Catalogue::load(files).unwrap_or_else(|error| panic!("{error}"));

    assert_eq!(loaded.entries().len(), FILES.files().count());
    assert_eq!(FILES.dirs().count(), 0);
}

#[test]
fn the_services_promised_are_there() {
    for name in [
        "GitHub",
        "GitLab",
        "Google Calendar",
        "Gmail",
        "Google Drive",
        "Google Sheets",
        "Slack",
        "Discord",
        "Notion",
        "Linear",
        "Jira",
        "Confluence",
        "Asana",
        "Airtable",
        "HubSpot",
        "Salesforce",
        "Zendesk",
        "Stripe",
        "Shopify",
        "Dropbox",
        "OneDrive",
        "Outlook Mail",
        "Microsoft Teams",
        "Figma",
        "ClickUp",
        "Monday",
        "Intercom",
        "SendGrid",
        "Mailchimp",
        "Twilio",
        "OpenAI",
        "Anthropic",
        "Postgres",
        "Supabase",
        "Cloudflare",
        "Vercel",
        "Sentry",
        "WordPress",
        "YouTube",
        "LinkedIn",
    ] {
        let entry = Catalogue::built_in().find_name(name);
        assert_eq!(entry.map(|entry| entry.name.as_str()), Some(name));
    }
}

#[test]
fn each_dialects_spelling_leads_to_the_same_entry() {
    for (spelling, slug) in [
        ("googlecalendar", "google-calendar"),
        ("GOOGLE_CALENDAR", "google-calendar"),
        ("googledrive", "google-drive"),
        ("googlesheets", "google-sheets"),
        ("one_drive", "onedrive"),
        ("Onedrive", "onedrive"),
        ("outlook", "outlook-mail"),
        ("Outlook", "outlook-mail"),
        ("MsCalendar", "outlook-calendar"),
        ("microsoft_teams", "microsoft-teams"),
        ("wordpress_com", "wordpress"),
        ("PostgreSQL", "postgres"),
    ] {
        let entry = Catalogue::built_in().find_name(spelling);
        assert_eq!(
            entry.map(|entry| entry.slug.as_str()),
            Some(slug),
            "{spelling}"
        );
    }
    assert!(Catalogue::built_in().find_name("no such service").is_none());
    assert!(Catalogue::built_in().find_name("--").is_none());
}

#[test]
fn slugs_and_texts_have_their_form() {
    for entry in Catalogue::built_in().entries() {
        let slug = &entry.slug;
        assert!(
            slug.bytes()
                .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-')),
            "{slug}"
        );
        for text in [&entry.name, &entry.description] {
            assert!(!text.is_empty() && text.trim() == text, "{slug}: {text}");
        }
        for url in [
            Some(&entry.app_url),
            entry.logo.as_ref(),
            entry.auth_guide_url.as_ref(),
        ]
        .into_iter()
        .flatten()
        {
            assert!(url::Url::parse(url).is_ok(), "{slug}: {url}");
            assert!(url.starts_with("https://"), "{slug}: {url}");
        }
    }
}

#[test]
fn every_url_is_https_and_its_placeholders_are_fields() {
    for (entry, scheme) in schemes() {
        let place = format!("{} {}", entry.slug, scheme.mode);
        for url in [&scheme.base_url, &scheme.authorize_url, &scheme.token_url]
            .into_iter()
            .flatten()
        {
            let parsed = url::Url::parse(&filled(url)).unwrap_or_else(|_| panic!("{place}: {url}"));
            assert_eq!(parsed.scheme(), "https", "{place}: {url}");
        }
        for url in [&scheme.authorize_url, &scheme.token_url]
            .into_iter()
            .flatten()
        {
            for slug in placeholders(url) {
                assert!(
                    all_fields(scheme).any(|field| field.slug == slug),
                    "{place}: {url}"
                );
            }
        }
    }
}

#[test]
fn a_scheme_has_what_its_mode_needs_and_nothing_of_another() {
    for (entry, scheme) in schemes() {
        let place = format!("{} {}", entry.slug, scheme.mode);
        assert!(MODES.contains(&scheme.mode.as_str()), "{place}");
        let urls = (scheme.authorize_url.is_some(), scheme.token_url.is_some());
        match scheme.mode.as_str() {
            "OAUTH2" => assert_eq!(urls, (true, true), "{place}"),
            "S2S_OAUTH2" => assert_eq!(urls, (false, true), "{place}"),
            "DCR_OAUTH" | "CIMD_OAUTH" => {}
            mode => {
                assert_eq!(urls, (false, false), "{place}");
                assert!(scheme.default_scopes.is_empty(), "{place}");
                assert!(scheme.authorize_params.is_empty(), "{place}");
                assert_eq!(scheme.pkce, Pkce::None, "{place}");
                assert_eq!(scheme.fields.is_empty(), mode == "NO_AUTH", "{place}");
            }
        }
        if scheme.mode == "OAUTH2" {
            for slug in ["client_id", "client_secret"] {
                assert!(
                    scheme.config_fields.iter().any(|field| field.slug == slug),
                    "{place}"
                );
            }
        }
    }
}

#[test]
fn fields_are_distinct_and_secrets_are_marked() {
    for (entry, scheme) in schemes() {
        let mut slugs = HashSet::new();
        for field in all_fields(scheme) {
            let place = format!("{} {} {}", entry.slug, scheme.mode, field.slug);
            assert!(slugs.insert(&field.slug), "{place}: twice");
            assert!(
                field
                    .slug
                    .starts_with(|first: char| first.is_ascii_lowercase())
                    && field
                        .slug
                        .bytes()
                        .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_')),
                "{place}"
            );
            assert!(field.secret || field.kind != FieldKind::Password, "{place}");
            assert!(
                field.default.is_none() || !(field.secret || field.required),
                "{place}: a field with a default is neither secret nor required"
            );
        }
        let asks = !scheme.fields.is_empty() && !scheme.mode.contains("OAUTH");
        assert!(
            !asks || scheme.fields.iter().any(|field| field.secret),
            "{} {}",
            entry.slug,
            scheme.mode
        );
    }
}

#[test]
fn standard_fields_come_first_and_a_files_own_replaces_them() {
    let slack = Catalogue::built_in().find_name("slack").unwrap();
    let oauth = slack.scheme("OAUTH2").unwrap();
    let slugs: Vec<&str> = oauth
        .config_fields
        .iter()
        .map(|f| f.slug.as_str())
        .collect();
    assert_eq!(
        slugs,
        ["client_id", "client_secret", "scopes", "user_scopes"]
    );
    assert_eq!(
        oauth.config_fields[2].default.as_deref(),
        Some("channels:read,channels:history,chat:write,users:read")
    );

    let twilio = Catalogue::built_in().find_name("twilio").unwrap();
    let fields: Vec<(&str, &str)> = twilio
        .default_scheme()
        .fields
        .iter()
        .map(|field| (field.slug.as_str(), field.label.as_str()))
        .collect();
    assert_eq!(
        fields,
        [("username", "Account SID"), ("password", "Auth token")]
    );
}

#[test]
fn a_scheme_without_a_base_url_takes_the_entrys() {
    let jira = Catalogue::built_in().find_name("jira").unwrap();
    let base = |mode| jira.scheme(mode).unwrap().base_url.as_deref();
    assert_eq!(base("OAUTH2"), jira.base_url.as_deref());
    assert_eq!(
        base("BASIC"),
        Some("https://{subdomain}.atlassian.net/rest/api/3")
    );
}

const ENTRY: &str = r#"
slug = "acme"
name = "Acme"
description = "Makes everything."
categories = ["tools"]
app_url = "https://acme.example"
default_scheme = "API_KEY"
[[schemes]]
mode = "API_KEY"
"#;

fn refused(files: &[(&str, &str)]) -> LoadError {
    Catalogue::load(files.iter().copied()).unwrap_err()
}

#[test]
fn a_wrong_file_is_refused_with_its_name() {
    assert!(Catalogue::load([("acme.toml", ENTRY)].into_iter()).is_ok());

    let unknown = ENTRY.replace("app_url", "app_ulr");
    let error = refused(&[("acme.toml", &unknown)]).to_string();
    assert!(
        error.contains("acme.toml") && error.contains("app_ulr"),
        "{error}"
    );

    assert!(matches!(
        refused(&[("other.toml", ENTRY)]),
        LoadError::Rule { .. }
    ));
    let no_such_default =
        ENTRY.replace("default_scheme = \"API_KEY\"", "default_scheme = \"BASIC\"");
    assert!(matches!(
        refused(&[("acme.toml", &no_such_default)]),
        LoadError::Rule { .. }
    ));
    let same_mode_twice = format!("{ENTRY}[[schemes]]\nmode = \"API_KEY\"\n");
    assert!(matches!(
        refused(&[("acme.toml", &same_mode_twice)]),
        LoadError::Rule { .. }
    ));
}

#[test]
fn a_name_that_leads_elsewhere_is_refused() {
    let other = ENTRY.replace("\"acme\"", "\"acme-two\"").replace(
        "name = \"Acme\"",
        "name = \"Two\"\naliases = [\"A.C.M.E.\"]",
    );
    assert_eq!(
        refused(&[("acme.toml", ENTRY), ("acme-two.toml", &other)]),
        LoadError::Taken {
            file: "acme-two.toml".to_owned(),
            name: "A.C.M.E.".to_owned(),
            other: "acme".to_owned(),
        }
    );
}
