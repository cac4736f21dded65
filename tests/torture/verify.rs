//! The comparison: what a fresh session finds against what the clients were told.

use std::collections::HashMap;
use std::sync::Arc;

use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use crate::client::Client;
use crate::history::{Fault, Outcome};
use crate::ledger::{Kind, Object};
use crate::requests::{name, user};
use crate::server::{Home, Server};
use crate::world::{World, look};

/// How many objects are read at once.
const AT_ONCE: usize = 4;

/// Compares everything that has changed since it was compared last. Nothing may be on its way: the load is stopped, and
/// the server is a fresh one.
pub async fn values(world: &Arc<World>, server: &Server) {
    let changed = world.objects().into_iter().filter(|one| one.changed());
    compare(world, server, changed.collect()).await;
}

async fn compare(world: &Arc<World>, server: &Server, objects: Vec<Arc<Object>>) {
    let mut readers = tokio::task::JoinSet::new();
    let objects = Arc::new(objects);
    for reader in 0..AT_ONCE {
        let (world, objects) = (Arc::clone(world), Arc::clone(&objects));
        let mut client = Client::of(server.address);
        readers.spawn(async move {
            for object in objects.iter().skip(reader).step_by(AT_ONCE) {
                let (attempt, seen) = look(&world, &mut client, object).await;
                world.ledger.settle(object, attempt, &seen);
            }
        });
    }
    while let Some(done) = readers.join_next().await {
        done.unwrap();
    }
}

/// The last comparison: every object, every creation, every audit row.
pub async fn everything(world: &Arc<World>, home: &Home, server: &Server) {
    creations(world, home).await;
    compare(world, server, world.objects()).await;
    audit(world, home).await;
}

/// Refused creations have made nothing; unknown ones nothing or the whole object, which is compared like all others.
async fn creations(world: &World, home: &Home) {
    let mut superuser = PgConnection::connect_with(&home.superuser()).await.unwrap();
    let mut found = HashMap::new();
    for query in [
        "SELECT name, public_id FROM auth_configs",
        "SELECT user_id, connection_id::text FROM connections",
    ] {
        let rows: Vec<(String, String)> = sqlx::query_as(query)
            .fetch_all(&mut superuser)
            .await
            .unwrap();
        found.extend(rows);
    }
    let creations = std::mem::take(&mut *world.creations.lock().unwrap());
    for creation in creations {
        let (key, holds) = match creation.kind {
            Kind::Connection => (user(creation.number), None),
            _ => (name(creation.number), Some(creation.number)),
        };
        let Some(id) = found.get(&key) else { continue };
        let object = Object::new(creation.kind, creation.tenant, id, holds);
        if creation.outcome == Outcome::Refused {
            let what = format!("creation {} was refused", creation.number);
            world.ledger.found(&Fault::Phantom(what), &object);
        } else {
            world.ledger.happened(creation.number);
            world.made.lock().unwrap().push(Arc::new(object));
        }
    }
}

async fn audit(world: &World, home: &Home) {
    let mut superuser = PgConnection::connect_with(&home.superuser()).await.unwrap();
    let query = "SELECT request_id, action, count(*) FROM audit_log GROUP BY request_id, action";
    let found: Vec<(String, String, i64)> = sqlx::query_as(query)
        .fetch_all(&mut superuser)
        .await
        .unwrap();
    let mut rows: HashMap<Uuid, HashMap<String, u64>> = HashMap::new();
    for (request, action, count) in found {
        let Ok(request) = request.parse() else {
            continue;
        };
        let count = u64::try_from(count).unwrap();
        rows.entry(request).or_default().insert(action, count);
    }
    world.ledger.audit(&rows);
}
