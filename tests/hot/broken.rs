//! A connection of the hot paths that breaks: noticed while idle, told while in a call, and made anew.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::arrange::{
    Lock, auth_config, change, end_sessions, hand_out, held, instance, integration, is_later,
    patch_auth, request_id, set_auth, until_one_waits,
};
use crate::common::TestApp;
use crate::common::client::Reply;
use crate::common::tenant::Tenant;

struct House {
    app: TestApp,
    alice: Arc<Tenant>,
    integration: String,
    instance: String,
    config: String,
}

async fn house() -> House {
    let app = TestApp::start().await;
    let alice = Arc::new(app.tenant("alice").await);
    let integration = integration(&alice, "Plain", json!({"authType": "API_KEY"})).await;
    let instance = instance(&alice, "Plain", "u").await;
    let config = auth_config(&alice, json!({"key": "k"})).await;
    let house = House {
        app,
        alice,
        integration,
        instance,
        config,
    };
    for hot in 0..4 {
        let reply = house.ask(hot).await;
        assert_eq!(reply.status, 200, "{hot}: {}", reply.text);
    }
    house
}

impl House {
    /// A request of each hot path: set-auth, hand-out, Composio's and Langdock's change.
    fn ask(&self, hot: usize) -> impl Future<Output = Reply> + Send + 'static {
        let (alice, id) = (Arc::clone(&self.alice), request_id());
        let (integration, instance, config) = (
            self.integration.clone(),
            self.instance.clone(),
            self.config.clone(),
        );
        async move {
            match hot {
                0 => set_auth(&alice, &instance, json!({"key": "k"}), &id).await,
                1 => hand_out(&alice, &instance, &id).await,
                2 => change(&alice, &config, json!({"name": "n"}), &id).await,
                _ => patch_auth(&alice, &integration, json!({"authType": "API_KEY"})).await,
            }
        }
    }
}

#[tokio::test]
async fn sessions_that_ended_while_idle_are_noticed() {
    let house = house().await;
    sleep(Duration::from_millis(1_200)).await;
    end_sessions(&house.app).await;

    for hot in 0..4 {
        let reply = house.ask(hot).await;
        assert_eq!(reply.status, 200, "{hot}: {}", reply.text);
    }
}

#[tokio::test]
async fn a_session_that_ends_within_a_call_is_told_and_the_next_one_serves() {
    let house = house().await;
    let unavailable: [Value; 4] = [
        json!({"detail": "Service Unavailable"}),
        json!({"detail": "Service Unavailable"}),
        json!("HTTP_ServiceUnavailable"),
        json!({"message": "Temporarily unavailable, try again later"}),
    ];
    for (hot, told) in unavailable.into_iter().enumerate() {
        // The last round ended all sessions; whoever used one within a second is told, as here.
        while house.ask(hot).await.status == 503 {}
        let (before, rows) = (
            house.app.fingerprint().await,
            house.app.count("audit_log").await,
        );
        // Every hot path writes an audit row last.
        let lock = Lock::of_audit_log(&house.app).await;
        let asked = tokio::spawn(house.ask(hot));
        until_one_waits(&house.app).await;

        end_sessions(&house.app).await;

        let reply = asked.await.unwrap();
        assert!(is_later(&reply), "{hot}: {reply:?}");
        let said = if hot == 2 {
            &reply.json["error"]["slug"]
        } else {
            &reply.json
        };
        assert_eq!(*said, told, "{hot}");
        lock.release().await;
        assert_eq!(
            (
                house.app.fingerprint().await,
                house.app.count("audit_log").await
            ),
            (before, rows)
        );
        let next = house.ask(hot).await;
        assert_eq!(next.status, 200, "{hot}: {}", next.text);
    }
    while house.ask(1).await.status == 503 {}
    assert_eq!(
        held(&house.alice, &house.instance).await,
        json!({"key": "k"})
    );
}

/// All sessions of a call are gone: all of its items are unknown, and none is half done.
#[tokio::test]
async fn every_request_of_a_broken_call_is_told() {
    let house = house().await;
    let lock = Lock::of_audit_log(&house.app).await;
    let mut asked = vec![tokio::spawn(house.ask(0))];
    until_one_waits(&house.app).await;
    asked.extend((0..20).map(|_| tokio::spawn(house.ask(0))));
    sleep(Duration::from_millis(100)).await;

    end_sessions(&house.app).await;
    lock.release().await;

    let mut told = 0;
    for asked in asked {
        let reply = asked.await.unwrap();
        assert!(reply.status == 200 || is_later(&reply), "{reply:?}");
        told += usize::from(reply.status == 503);
    }
    assert!(told >= 1);
    let stored = house
        .app
        .count("audit_log WHERE action = 'connection.set_credential'");
    assert_eq!(stored.await, 22 - i64::try_from(told).unwrap());
}
