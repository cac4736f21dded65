//! `PATCH /connected_accounts/{nanoid}`: the alias, and members of the credential one by one.

use serde_json::{Value, json};

use crate::account_changing::{
    Account, assert_refused, at, at_3_1, changed, connected, connected_under, members,
    other_scheme, revoked, set_status, switch,
};
use crate::account_making::{
    account, assert_missing, audited, config, create, declared, handed_out, row, set_config,
};
use crate::common::{TestApp, canary};
use crate::story::{assert_envelope, assert_invalid, custom, made};

#[tokio::test]
async fn members_are_set_and_removed_one_by_one_and_the_rest_stays() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let client = alice.composio();
    let val = json!({ "username": "ada", "password": "old-password-1", "realm": "r", "note": "n" });
    let Account { id, uuid } = connected(&client, "BASIC", val).await;
    let before = app.sql("SELECT generation FROM connections").await;

    let change = json!({ "password": "new-password-2", "realm": null, "never": null, "more": "m" });
    assert_eq!(
        changed(&client, &id, members("BASIC", change)).await,
        "ACTIVE"
    );

    let left = json!({ "username": "ada", "password": "new-password-2", "note": "n", "more": "m" });
    assert_eq!(handed_out(&alice, &uuid).await, left);
    assert_ne!(app.sql("SELECT generation FROM connections").await, before);
    let all = json!({ "note": "...", "more": "...", "password": "new-...", "username": "..." });
    assert_eq!(
        changed(&client, &id, members("BASIC", all)).await,
        "ACTIVE",
        "what is shown"
    );
    assert_eq!(handed_out(&alice, &uuid).await, left);
}

#[tokio::test]
async fn both_prefixes_take_it_and_each_change_has_its_audit_row() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let client = alice.composio();
    let Account { id, uuid } =
        connected(&client, "BEARER_TOKEN", json!({ "token": canary() })).await;
    let known = audited(&app, &uuid).await.len();
    let mut body = members("BEARER_TOKEN", json!({ "token": canary() }));
    body["alias"] = json!("work");

    let reply = client.patch(&at_3_1(&id, ""), body).await;

    assert_eq!(
        reply.json,
        json!({ "success": true, "id": id, "status": "ACTIVE" })
    );
    assert_eq!(
        audited(&app, &uuid).await[known..],
        [
            ("connection.set_credential".to_owned(), Value::Null),
            ("connection.update".to_owned(), json!({ "alias": "set" }))
        ]
    );
    let newest =
        "SELECT DISTINCT key_id, request_id FROM audit_log WHERE action = 'connection.update'";
    assert_eq!(
        app.sql(newest).await,
        [json!({ "key_id": alice.key_id, "request_id": reply.header("x-request-id") })]
    );
    assert_eq!(row(&app, &id).await["alias"], "work");
    assert_eq!(
        changed(&client, &id, json!({ "alias": "" })).await,
        "ACTIVE"
    );
    assert_eq!(row(&app, &id).await["alias"], Value::Null);
    assert_eq!(
        audited(&app, &uuid).await.pop().unwrap().1,
        json!({ "alias": "cleared" })
    );
    app.finish().await;
}

#[tokio::test]
async fn who_else_may_use_an_account_is_no_change_of_it() {
    let app = TestApp::start().await;
    let client = app.tenant("alice").await.composio();
    let token = json!({ "token": "0123456789abcdef" });
    let Account { id, .. } = connected(&client, "BEARER_TOKEN", token).await;
    let before = (app.fingerprint().await, app.count("audit_log").await);
    let only_shared = (
        400,
        600,
        "ConnectedAccount_BadRequest",
        "acl_config_for_shared is only valid on SHARED connections",
        "Leave experimental.acl_config_for_shared out: only its own user uses a connected account.",
    );
    let not_built = (
        501,
        10501,
        "HTTP_NotImplemented",
        "Not implemented: connections that users share",
        "This server stores it but does not run it.",
    );
    for (experimental, expected) in [
        (json!({ "acl_config_for_shared": {} }), only_shared),
        (json!({ "account_type": "SHARED" }), not_built),
    ] {
        let body = json!({ "alias": "work", "experimental": experimental });
        let reply = client.patch(&at_3_1(&id, ""), body).await;
        assert_envelope(&reply, expected, &[]);
        assert_eq!(
            (app.fingerprint().await, app.count("audit_log").await),
            before,
            "{experimental}"
        );
    }
}

#[tokio::test]
async fn a_change_of_nothing_writes_nothing() {
    let app = TestApp::start().await;
    let client = app.tenant("alice").await.composio();
    let token = json!({ "token": "0123456789abcdef", "list": "x" });
    let Account { id, .. } = connected(&client, "BEARER_TOKEN", token).await;
    changed(&client, &id, json!({ "alias": "work" })).await;
    let before = (app.fingerprint().await, app.count("audit_log").await);
    for body in [
        json!({}),
        json!({ "alias": "work" }),
        json!({ "experimental": { "acl_config_for_shared": null, "account_type": "PRIVATE" } }),
        members("BEARER_TOKEN", json!({})),
        members("BEARER_TOKEN", json!({ "token": "0123...", "list": "..." })),
        members(
            "BEARER_TOKEN",
            json!({ "token": "REDACTED", "other": "REDACTED" }),
        ),
        members(
            "BEARER_TOKEN",
            json!({ "token": "0123456789abcdef", "none": null }),
        ),
        members(
            "BEARER_TOKEN",
            json!({ "status": "ACTIVE", "redirectUrl": null, "absent": "" }),
        ),
        members("API_KEY", json!({ "token": "0123..." })),
    ] {
        assert_eq!(
            changed(&client, &id, body.clone()).await,
            "ACTIVE",
            "{body}"
        );
        assert_eq!(
            (app.fingerprint().await, app.count("audit_log").await),
            before,
            "{body}"
        );
    }
}

#[tokio::test]
async fn an_alias_is_one_among_the_users_accounts_of_a_toolkit() {
    let app = TestApp::start().await;
    let client = app.tenant("alice").await.composio();
    let slack = config(&client, "BEARER_TOKEN").await;
    let other_slack = made(&client, custom("slack", "API_KEY", json!({}))).await;
    let github = made(&client, custom("github", "BEARER_TOKEN", json!({}))).await;
    let token = || json!({ "token": "t" });
    let first = connected_under(&client, &slack, "BEARER_TOKEN", token()).await;
    let key = json!({ "api_key": "k" });
    let second = connected_under(&client, &other_slack, "API_KEY", key).await;
    let elsewhere = connected_under(&client, &github, "BEARER_TOKEN", token()).await;
    let mut body = account(&slack, "BEARER_TOKEN", token());
    body["connection"]["user_id"] = json!("u-2");
    let theirs = create(&client, body).await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    changed(&client, &first.id, json!({ "alias": "work" })).await;
    for id in [&elsewhere.id, &theirs] {
        changed(&client, id, json!({ "alias": "work" })).await;
    }
    changed(&client, &second.id, json!({ "alias": "Work" })).await;
    let before = (app.fingerprint().await, app.count("audit_log").await);

    let mut body = members("API_KEY", json!({ "api_key": "another" }));
    body["alias"] = json!("work");
    let reply = client.patch(&at(&second.id), body).await;

    let message = "The alias is taken by another connected account of this user and toolkit";
    let expected = (
        409,
        10409,
        "HTTP_Conflict",
        message,
        "Choose another alias.",
    );
    assert_envelope(&reply, expected, &[]);
    assert_eq!(reply.header("x-should-retry"), "false");
    assert_eq!(
        (app.fingerprint().await, app.count("audit_log").await),
        before,
        "the credential neither"
    );
    changed(&client, &first.id, json!({ "alias": "" })).await;
    changed(&client, &second.id, json!({ "alias": "work" })).await;
    let longest = "ä".repeat(255);
    changed(&client, &second.id, json!({ "alias": longest })).await;
    assert_eq!(row(&app, &second.id).await["alias"], json!(longest));
}

#[tokio::test]
async fn what_is_missing_after_the_merge_is_named_and_nothing_changes() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let client = alice.composio();
    let fields = json!([
        { "slug": "shop", "label": "The shop", "type": "TEXT", "required": true },
        { "slug": "port", "label": "Port", "type": "NUMBER" },
        { "slug": "key", "label": "The key", "type": "PASSWORD", "required": true },
    ]);
    let config = declared(&alice, "acme", "API_KEY", fields).await;
    let val = json!({ "shop": "s", "key": "k", "port": "80" });
    let Account { id, uuid } = connected_under(&client, &config, "API_KEY", val.clone()).await;
    let before = (app.fingerprint().await, app.count("audit_log").await);

    for (change, missing) in [
        (json!({ "shop": null }), "The shop"),
        (json!({ "shop": "", "more": "x" }), "The shop"),
        (json!({ "shop": null, "key": null }), "The shop, The key"),
    ] {
        let reply = client.patch(&at(&id), members("API_KEY", change)).await;
        assert_missing(&reply, missing);
    }
    let numbers = json!({ "port": "eighty", "shop": 5 });
    assert_invalid(
        &client.patch(&at(&id), members("API_KEY", numbers)).await,
        &["Error in payload.connection.state.val.shop: Expected string, received number"],
    );
    assert_invalid(
        &client
            .patch(&at(&id), members("API_KEY", json!({ "port": "eighty" })))
            .await,
        &["Error in payload.connection.state.val.port: Expected number, received nan"],
    );
    assert_eq!(
        (app.fingerprint().await, app.count("audit_log").await),
        before
    );
    assert_eq!(handed_out(&alice, &uuid).await, val);
}

#[tokio::test]
async fn what_the_config_shares_is_not_missing_and_not_copied() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let client = alice.composio();
    let mut body = custom("slack", "BASIC_WITH_JWT", json!({}));
    body["auth_config"]["shared_credentials"] =
        json!({ "password": "shared-password", "region": "eu" });
    let config = made(&client, body).await;
    let val = json!({ "username": "ada", "password": "own-password-1" });
    let Account { id, .. } = connected_under(&client, &config, "BASIC_WITH_JWT", val).await;

    let change = json!({ "password": null, "username": "grace", "region": "..." });
    changed(&client, &id, members("BASIC_WITH_JWT", change)).await;
    let before = app.fingerprint().await;
    // As a read shows them: masked, and in the clear to the key that may see it.
    for region in ["...", "eu", "REDACTED"] {
        let shown = json!({ "username": "grace", "password": "shar...", "region": region });
        changed(&client, &id, members("BASIC_WITH_JWT", shown)).await;
    }
    assert_eq!(app.fingerprint().await, before);
    let blind = alice.with_scopes(&["connections:write"]).await.composio();
    changed(
        &blind,
        &id,
        members("BASIC_WITH_JWT", json!({ "region": "eu" })),
    )
    .await;
    assert_ne!(
        app.fingerprint().await,
        before,
        "who may not read it learns nothing by trying"
    );
}

#[tokio::test]
async fn another_scheme_is_refused_whatever_the_members_are() {
    let app = TestApp::start().await;
    let client = app.tenant("alice").await.composio();
    let token = || json!({ "token": "t" });
    let bearer = connected(&client, "BEARER_TOKEN", token()).await;
    let none = connected(&client, "NO_AUTH", json!({})).await;
    let cimd = json!({ "client_id": "c", "access_token": "a" });
    let cimd = connected(&client, "CIMD_OAUTH", cimd).await;
    let before = app.fingerprint().await;
    for (account, scheme, expected) in [
        (&bearer, "BASIC", "BEARER_TOKEN"),
        (&bearer, "API_KEY", "BEARER_TOKEN"),
        (&none, "API_KEY", "NO_AUTH"),
        (&none, "NO_AUTH", "NO_AUTH"),
        (&cimd, "OAUTH2", "CIMD_OAUTH"),
    ] {
        let change = members(scheme, json!({ "token": "other" }));
        let reply = client.patch(&at(&account.id), change).await;
        let (message, fix) = other_scheme(expected);
        assert_refused(&reply, (&message, &fix));
    }
    let empty = members("NO_AUTH", json!({ "status": "ACTIVE" }));
    assert_eq!(changed(&client, &none.id, empty).await, "ACTIVE");
    assert_eq!(app.fingerprint().await, before);
    for scheme in ["DCR_OAUTH", "CIMD_OAUTH"] {
        let change = members(scheme, json!({ "access_token": scheme }));
        assert_eq!(changed(&client, &cimd.id, change).await, "ACTIVE");
    }
}

#[tokio::test]
async fn the_operators_app_takes_no_credential_by_hand() {
    let app = TestApp::start().await;
    let client = app.tenant("alice").await.composio();
    let config = config(&client, "OAUTH2").await;
    let val = json!({ "access_token": "0123456789abcdef" });
    let Account { id, .. } = connected_under(&client, &config, "OAUTH2", val).await;
    set_config(&app, &config, "managed = true").await;
    let before = app.fingerprint().await;

    let change = members("OAUTH2", json!({ "access_token": "another" }));
    let reply = client.patch(&at(&id), change).await;

    let message = "A connection with a managed auth config is made by its user: POST /connected_accounts/link";
    let fix = "Use POST /connected_accounts/link and send your user to its redirect_url.";
    assert_refused(&reply, (message, fix));
    assert_eq!(app.fingerprint().await, before);
    let mut kept = members("OAUTH2", json!({ "access_token": "0123..." }));
    kept["alias"] = json!("renamed");
    assert_eq!(changed(&client, &id, kept).await, "ACTIVE");
}

/// Which status a complete credential leads to, from each.
#[tokio::test]
async fn a_complete_credential_makes_an_account_active_but_where_it_is_switched_off() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let client = alice.composio();
    let Account { id, uuid } = connected(&client, "BEARER_TOKEN", json!({ "token": "t0" })).await;
    let statuses = [
        "INITIALIZING",
        "INITIATED",
        "ACTIVE",
        "INACTIVE",
        "EXPIRED",
        "FAILED",
        "REVOKED",
    ];
    for (number, status) in statuses.into_iter().enumerate() {
        set_status(&app, &id, status).await;
        let kept = members("BEARER_TOKEN", json!({ "token": "..." }));
        assert_eq!(changed(&client, &id, kept).await, status, "nothing new");

        let token = format!("t-{number}");
        let change = members("BEARER_TOKEN", json!({ "token": token }));
        let now = changed(&client, &id, change).await;

        let expected = if status == "INACTIVE" {
            ("INACTIVE", json!("because"))
        } else {
            ("ACTIVE", Value::Null)
        };
        let row = row(&app, &id).await;
        assert_eq!(
            (now.as_str(), &row["status_reason"]),
            (expected.0, &expected.1),
            "{status}"
        );
        assert_eq!(row["status"], expected.0, "{status}");
        assert_eq!(handed_out(&alice, &uuid).await, json!({ "token": token }));
    }
    revoked(&client, &id).await;
    assert_missing(
        &client
            .patch(&at(&id), members("BEARER_TOKEN", json!({ "note": "n" })))
            .await,
        "Token",
    );
    let change = members("BEARER_TOKEN", json!({ "token": "again" }));
    assert_eq!(changed(&client, &id, change).await, "ACTIVE");
    assert_eq!(switch(&client, &id, false).await.status, 200);
}
