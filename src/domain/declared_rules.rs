//! What a credential is checked against before the row is seen: the declared fields of its connection's config.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use moka::future::Cache;
use serde_json::value::RawValue;

use super::declared_field::DeclaredField;
use super::error::Error;
use super::ids::ConnectionId;

/// How many bytes of rules are remembered, for connections whose config declares fields.
const BYTES: u64 = 8 * 1024 * 1024;
/// What an entry takes beside the text and what it was parsed into.
const ENTRY: usize = 300;
/// How long one is remembered that nobody writes to.
const IDLE: Duration = Duration::from_mins(10);

/// Some declared fields, with the very text by which the database compares them.
#[derive(Debug, Clone)]
pub(super) struct DeclaredRules {
    text: Arc<RawValue>,
    fields: Arc<[DeclaredField]>,
}

/// Most configs declare none.
static NO_FIELDS: LazyLock<DeclaredRules> = LazyLock::new(|| DeclaredRules {
    text: Arc::from(
        RawValue::from_string("[]".to_owned()).expect("an empty array is a JSON document"),
    ),
    fields: Arc::from([]),
});

impl DeclaredRules {
    /// The rules that the database answered with.
    pub(super) fn parse(text: Box<RawValue>) -> Result<Self, Error> {
        // The cause is dropped: serde's words quote what was read.
        let fields: Vec<DeclaredField> = serde_json::from_str(text.get())
            .map_err(|_| Error::internal("the declared fields of an auth config cannot be read"))?;
        Ok(Self {
            text: Arc::from(text),
            fields: Arc::from(fields),
        })
    }

    /// The fields.
    pub(super) fn fields(&self) -> &[DeclaredField] {
        &self.fields
    }

    /// The text by which the database compares them.
    pub(super) fn text(&self) -> Arc<RawValue> {
        Arc::clone(&self.text)
    }
}

/// The rules that were last seen of connections whose config declares fields. A guess: the database decides whether it
/// still holds.
#[derive(Debug, Clone)]
pub(super) struct RulesSeen {
    of: Cache<ConnectionId, DeclaredRules>,
}

impl RulesSeen {
    pub(super) fn new() -> Self {
        Self {
            of: Cache::builder()
                .max_capacity(BYTES)
                .weigher(|_, rules: &DeclaredRules| {
                    let bytes = ENTRY + 3 * rules.text.get().len();
                    u32::try_from(bytes).unwrap_or(u32::MAX)
                })
                .time_to_idle(IDLE)
                .build(),
        }
    }

    /// The rules that the connection most likely has.
    pub(super) async fn of(&self, id: ConnectionId) -> DeclaredRules {
        self.of.get(&id).await.unwrap_or_else(|| NO_FIELDS.clone())
    }

    /// Remembers what the database answered.
    pub(super) async fn remember(&self, id: ConnectionId, rules: DeclaredRules) {
        if rules.fields().is_empty() {
            self.of.invalidate(&id).await;
        } else {
            self.of.insert(id, rules).await;
        }
    }
}
