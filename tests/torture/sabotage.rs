//! The whole comparison can fail: what is taken from, or put into, the database behind the server's back is found out.

use std::sync::Arc;

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _};

use crate::client::Client;
use crate::history::Outcome;
use crate::ledger::{Action, Counts, Kind, Object};
use crate::server::{Home, Server};
use crate::verify;
use crate::world::{Size, World, succeeds};

const SMALL: Size = Size {
    tenants: 1,
    connections: 2,
    configs: 1,
    settings: 1,
};

struct Scene {
    world: Arc<World>,
    superuser: PgConnection,
    // In this order: the home goes when its server is gone.
    server: Server,
    home: Home,
}

impl Scene {
    async fn new() -> Self {
        let home = Home::embedded();
        let server = home.serve().await;
        let world = World::seed(&home, &server, SMALL).await;
        let superuser = PgConnection::connect_with(&home.superuser()).await;
        let superuser = superuser.unwrap();
        let scene = Self {
            world,
            superuser,
            server,
            home,
        };
        scene.found().await;
        assert_eq!(found(scene.world.ledger.counts()), [0; 4]);
        scene
    }

    async fn found(&self) -> Counts {
        verify::everything(&self.world, &self.home, &self.server).await;
        self.world.ledger.counts()
    }

    async fn execute(&mut self, statement: &str) {
        let statement = sqlx::raw_sql(AssertSqlSafe(statement.to_owned()));
        statement.execute(&mut self.superuser).await.unwrap();
    }

    /// Writes to it, which succeeds, and takes it down as this.
    async fn write(&self, object: &Object, action: Action, as_if: Outcome) {
        let mut client = Client::of(self.server.address);
        let attempt = self.world.ledger.begin_write(object, action);
        let request = self.world.caller(object).write(object, attempt);
        succeeds(&mut client, &request).await;
        self.world.ledger.end_write(object, attempt, as_if);
    }
}

/// Lost, phantom, torn, audit.
fn found(counts: Counts) -> [u64; 4] {
    [counts.lost, counts.phantom, counts.torn, counts.audit]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_done_behind_the_servers_back_is_found_out() {
    let mut scene = Scene::new().await;
    let connection = Arc::clone(&scene.world.connections[0]);
    let other = Arc::clone(&scene.world.connections[1]);
    let config = Arc::clone(&scene.world.configs[0]);
    assert_eq!(config.kind, Kind::Config);

    // An acknowledged write is taken back, as by a transaction that was never committed: its audit row too.
    scene
        .execute("CREATE TABLE before AS TABLE connections")
        .await;
    scene
        .write(&connection, Action::SetAuth, Outcome::Acknowledged)
        .await;
    let back = format!(
        "UPDATE connections SET generation = before.generation, sealed_credential = before.sealed_credential \
         FROM before WHERE before.connection_id = connections.connection_id \
         AND connections.connection_id = '{}'",
        connection.id
    );
    scene.execute(&back).await;
    assert_eq!(found(scene.found().await), [1, 0, 0, 0], "lost");

    // A write that its client was refused has happened: the value is a phantom, and its audit row must not be.
    scene.write(&other, Action::SetAuth, Outcome::Refused).await;
    assert_eq!(found(scene.found().await), [1, 1, 0, 1], "phantom");

    // The row moves without its sealed cells.
    scene
        .execute("UPDATE auth_configs SET name = 'n1' WHERE name LIKE 'n%'")
        .await;
    let [lost, phantom, torn, _] = found(scene.found().await);
    assert_eq!([lost, phantom], [1, 1]);
    assert!(torn > 0, "torn");

    // The log forgets.
    let before = scene.world.ledger.counts().audit;
    scene
        .execute("DELETE FROM audit_log WHERE action = 'connection.create'")
        .await;
    let after = scene.found().await.audit;
    assert_eq!(after - before, 2, "the rows of two creations");
    scene.server.stop().await;
}
