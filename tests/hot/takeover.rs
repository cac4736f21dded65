//! A first explicit auth config takes the implicit default's row over only while no connection under it has a
//! credential, whatever is being stored at that moment.

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use crate::arrange::{Lock, instance, request_id, set_auth, until_one_waits};
use crate::common::TestApp;
use crate::common::client::Reply;
use crate::common::tenant::Tenant;

/// The service's first explicit config: one that takes no credential, so that any under it is from before.
async fn take_over(tenant: &Tenant) -> Reply {
    let body = json!({
        "toolkit": {"slug": "slack"},
        "auth_config": {"type": "use_custom_auth", "authScheme": "NO_AUTH", "credentials": {}},
    });
    tenant.composio().post("/api/v3/auth_configs", body).await
}

/// The connection's scheme, and whether it has a credential.
async fn stored(app: &TestApp, instance: &str) -> (String, bool) {
    let query = format!(
        "SELECT a.scheme, c.sealed_credential IS NOT NULL AS held FROM connections c \
         JOIN auth_configs a USING (tenant_id, auth_config_id) WHERE connection_id = '{instance}'"
    );
    let row = &app.sql(&query).await[0];
    (
        row["scheme"].as_str().unwrap().to_owned(),
        row["held"] == Value::Bool(true),
    )
}

#[tokio::test]
async fn of_a_credential_and_a_takeover_at_the_same_moment_one_comes_first() {
    let app = TestApp::start().await;
    let (mut taken, mut kept) = (0, 0);
    for round in 0..50 {
        let alice = app.tenant(&format!("alice-{round}")).await;
        let id = instance(&alice, "Slack", "u").await;
        let before = stored(&app, &id).await;
        assert!(before.0 != "NO_AUTH" && !before.1);
        let request = request_id();
        let store = async {
            // Some a little later, so that either may win.
            tokio::time::sleep(std::time::Duration::from_micros(round * 150)).await;
            set_auth(&alice, &id, json!({"key": "k"}), &request).await
        };
        let (reply, made) = tokio::join!(store, take_over(&alice));

        assert_eq!(made.status, 201, "{}", made.text);
        let (scheme, held) = stored(&app, &id).await;
        let stores = reply.json["success"] == true;
        assert_eq!(reply.status, 200, "{}", reply.text);
        assert_eq!(
            (scheme == "NO_AUTH", held),
            (!stores, stores),
            "round {round}"
        );
        taken += usize::from(!stores);
        kept += usize::from(stores);
    }
    assert!(taken > 0 && kept > 0, "{taken} taken over, {kept} kept");
}

/// The narrowest moment: the row was looked for before the takeover, and is locked after it.
#[tokio::test]
async fn what_was_read_before_the_lock_does_not_count() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = instance(&alice, "Slack", "u").await;
    // Between the two this one session waits for an advisory lock.
    app.execute(
        "CREATE FUNCTION waits() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
             IF current_setting('test.waits', true) = 'yes' THEN PERFORM pg_advisory_xact_lock_shared(7); END IF;
             RETURN true;
         END $$;
         ALTER POLICY tenant ON tenants USING (tenant_id = (SELECT current_tenant()) AND waits())",
    )
    .await;
    let hurdle = Lock::take(&app, "SELECT pg_advisory_xact_lock(7)").await;
    let mut login = PgConnection::connect_with(&app.login()).await.unwrap();
    login.execute("SET test.waits = 'yes'").await.unwrap();
    let call = format!(
        "SELECT code FROM set_credential('{}', '{id}', NULL, '[]', gen_random_uuid(), 'x', gen_random_uuid(), 'k', 'r')",
        alice.id
    );
    let call = tokio::spawn(async move {
        let code: Result<String, _> = sqlx::query_scalar(AssertSqlSafe(call))
            .fetch_one(&mut login)
            .await;
        code.unwrap()
    });
    until_one_waits(&app).await;

    let made = take_over(&alice).await;
    assert_eq!(made.status, 201, "{}", made.text);
    hurdle.release().await;

    assert_eq!(call.await.unwrap(), "no_auth");
    assert_eq!(stored(&app, &id).await, ("NO_AUTH".to_owned(), false));
}
