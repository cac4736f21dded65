//! What the load works on: tenants with keys, connections, auth configs and settings, all of them known to the ledger.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::client::{Answer, Client, Reply};
use crate::history::{Outcome, Seen};
use crate::ledger::{Action, Attempt, Kind, Ledger, Object};
use crate::requests::{Caller, Request};
use crate::server::{Home, Server};

/// The integration of each tenant that its connections are to.
pub const SERVICE: &str = "Torture";

/// How much there is of everything, per tenant.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    pub tenants: usize,
    pub connections: usize,
    pub configs: usize,
    pub settings: usize,
}

impl Size {
    /// Enough for hot and cold rows.
    pub const USUAL: Self = Self {
        tenants: 3,
        connections: 40,
        configs: 3,
        settings: 2,
    };
}

/// A creation whose client was told something.
#[derive(Debug, Clone, Copy)]
pub struct Creation {
    pub kind: Kind,
    pub tenant: usize,
    pub number: u64,
    pub outcome: Outcome,
}

/// See the module.
#[derive(Debug)]
pub struct World {
    pub ledger: Ledger,
    pub callers: Vec<Caller>,
    pub connections: Vec<Arc<Object>>,
    pub configs: Vec<Arc<Object>>,
    pub settings: Vec<Arc<Object>>,
    /// What the load has made and was told of.
    pub made: Mutex<Vec<Arc<Object>>>,
    /// Creations that were refused, or whose outcome is unknown.
    pub creations: Mutex<Vec<Creation>>,
}

impl World {
    /// Makes it on a running server; every object holds an acknowledged number.
    pub async fn seed(home: &Home, server: &Server, size: Size) -> Arc<Self> {
        let mut world = Self {
            ledger: Ledger::default(),
            callers: Vec::new(),
            connections: Vec::new(),
            configs: Vec::new(),
            settings: Vec::new(),
            made: Mutex::default(),
            creations: Mutex::default(),
        };
        let mut client = Client::of(server.address);
        for tenant in 0..size.tenants {
            let name = format!("tenant-{tenant}");
            home.command(&["tenant", "create", &name]).await;
            let made = home.command(&["key", "create", "--tenant", &name]).await;
            let key = made["api_key"].as_str().unwrap().to_owned();
            world.callers.push(Caller { key });
            world.fill(&mut client, tenant, size).await;
        }
        for object in world.objects() {
            let action = match object.kind {
                Kind::Connection => Action::SetAuth,
                Kind::Config => Action::PatchConfig,
                Kind::Setting => Action::PatchSetting,
            };
            let attempt = world.ledger.begin_write(&object, action);
            let request = world.caller(&object).write(&object, attempt);
            succeeds(&mut client, &request).await;
            world
                .ledger
                .end_write(&object, attempt, Outcome::Acknowledged);
        }
        Arc::new(world)
    }

    async fn fill(&mut self, client: &mut Client, tenant: usize, size: Size) {
        let caller = self.callers[tenant].clone();
        let service = self.integration(client, &caller, tenant, SERVICE).await;
        // Its connections take credentials from now on.
        let attempt = self.ledger.begin_write(&service, Action::PatchSetting);
        succeeds(client, &caller.write(&service, attempt)).await;
        self.ledger
            .end_write(&service, attempt, Outcome::Acknowledged);
        for _ in 0..size.connections {
            let attempt = self.ledger.begin(Action::CreateInstance);
            let request = caller.create_instance(SERVICE, attempt);
            let answer = succeeds(client, &request).await;
            self.ledger.end(attempt, Outcome::Acknowledged);
            let made = created(Kind::Connection, tenant, attempt, &answer);
            self.connections.push(Arc::new(made));
        }
        for _ in 0..size.configs {
            let attempt = self.ledger.begin(Action::CreateConfig);
            let answer = succeeds(client, &caller.create_config(attempt)).await;
            self.ledger.end(attempt, Outcome::Acknowledged);
            let made = created(Kind::Config, tenant, attempt, &answer);
            self.configs.push(Arc::new(made));
        }
        for index in 0..size.settings {
            let name = format!("Setting {index}");
            let setting = self.integration(client, &caller, tenant, &name).await;
            self.settings.push(Arc::new(setting));
        }
    }

    async fn integration(
        &self,
        client: &mut Client,
        caller: &Caller,
        tenant: usize,
        name: &str,
    ) -> Object {
        // Not in the ledger: an integration is only the place of the others.
        let attempt = self.ledger.begin(Action::PatchSetting);
        let answer = succeeds(client, &caller.create_integration(name, attempt)).await;
        let id = answer.json()["integration"]["id"]
            .as_str()
            .unwrap()
            .to_owned();
        Object::new(Kind::Setting, tenant, &id, None)
    }

    /// The caller of an object's tenant.
    pub fn caller(&self, object: &Object) -> &Caller {
        &self.callers[object.tenant]
    }

    /// Everything that there is.
    pub fn objects(&self) -> Vec<Arc<Object>> {
        let made = self.made.lock().unwrap();
        let kinds = [&self.connections, &self.configs, &self.settings, &made];
        kinds.into_iter().flatten().cloned().collect()
    }

    /// A creation has ended.
    pub fn end_creation(
        &self,
        kind: Kind,
        tenant: usize,
        attempt: Attempt,
        (outcome, answer): (Outcome, Option<&Answer>),
    ) {
        self.ledger.end(attempt, outcome);
        if let (Outcome::Acknowledged, Some(answer)) = (outcome, answer) {
            let made = Arc::new(created(kind, tenant, attempt, answer));
            self.made.lock().unwrap().push(made);
        } else {
            self.creations.lock().unwrap().push(Creation {
                kind,
                tenant,
                number: attempt.number,
                outcome,
            });
        }
    }
}

/// The object that a creation has answered with.
fn created(kind: Kind, tenant: usize, attempt: Attempt, answer: &Answer) -> Object {
    let json = answer.json();
    let (id, holds) = match kind {
        Kind::Connection => (&json["instanceId"], None),
        Kind::Config => (&json["auth_config"]["id"], Some(attempt.number)),
        Kind::Setting => panic!("settings are not created"),
    };
    let id = id.as_str().expect("a creation answers with an id");
    let object = Object::new(kind, tenant, id, holds);
    object.touch();
    object
}

/// Sends it, which must succeed.
pub async fn succeeds(client: &mut Client, request: &Request) -> Answer {
    match client.send(request).await {
        Reply::Answer(answer) if (200..300).contains(&answer.status) => answer,
        reply => panic!("{request:?}: {reply:?}"),
    }
}

/// Reads an object in a fresh session, trying again for as long as the server is busy; for [`Ledger::settle`].
pub async fn look(world: &World, client: &mut Client, object: &Object) -> (Attempt, Seen) {
    let action = match object.kind {
        Kind::Connection => Action::HandOut,
        Kind::Config => Action::PatchConfig,
        Kind::Setting => Action::PatchSetting,
    };
    let begun = Instant::now();
    loop {
        let attempt = world.ledger.begin(action);
        let reply = client
            .send(&world.caller(object).read(object, attempt))
            .await;
        match reply {
            Reply::Answer(answer) if [200, 404].contains(&answer.status) => {
                return (attempt, crate::requests::seen(object.kind, &answer));
            }
            reply => {
                world.ledger.end_read(object, attempt, None);
                let waits = begun.elapsed() < Duration::from_secs(10);
                assert!(waits, "{object:?} cannot be read: {reply:?}");
                sleep(Duration::from_millis(50)).await;
            }
        }
    }
}
