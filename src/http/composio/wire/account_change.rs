//! The bodies of changes of a connected account: `PATCH /connected_accounts/{nanoid}`, its `/status` and its `/refresh`.

use super::account_members as read;
use super::new_auth_config::scheme;
use crate::domain::account_changes::{AccountChange, CredentialChange};
use crate::domain::account_rules;
use crate::domain::error::{Expected, Issue, Rule};
use crate::domain::patch::Patch;
use crate::domain::scheme::Scheme;
use crate::http::extract::{FromJson, FromQuery};
use crate::http::shape::{self, Faults, Members};
use crate::json::{Json, JsonKind, Object};

/// Where the members of the credential lie in a change.
pub(in super::super) const VAL: [&str; 3] = ["connection", "state", "val"];

/// A change of a connected account.
#[derive(Debug)]
pub(in super::super) struct AccountChangeBody(pub AccountChange);

impl FromJson for AccountChangeBody {
    fn from_json(json: Json) -> Result<Self, Vec<Issue>> {
        let mut faults = Faults::default();
        let change = faults.object(json).map(|mut members| {
            let alias = match members.read("alias", &mut faults, alias) {
                None => Patch::Keep,
                Some(alias) => alias,
            };
            let stated = members.read("connection", &mut faults, connection);
            let sharing = read::sharing(&mut members);
            members.refuse_rest(&mut faults);
            if let Some(members) = stated.as_ref().and_then(|stated| stated.val.as_ref())
                && faults.count() > 0
            {
                check_values(members, &mut faults);
            }
            Self(AccountChange {
                alias,
                sharing,
                credential: stated.and_then(Stated::change),
            })
        });
        faults.finish(change)
    }
}

/// What `connection.state` says, as far as it can be read.
struct Stated {
    scheme: Option<Scheme>,
    val: Option<Object>,
}

impl Stated {
    /// The change, where nothing was wrong.
    fn change(self) -> Option<CredentialChange> {
        let (scheme, members) = (self.scheme?, self.val?);
        Some(CredentialChange { scheme, members })
    }
}

/// The empty text clears.
fn alias(json: Json, faults: &mut Faults) -> Option<Patch<String>> {
    if json.as_str() == Some("") {
        return Some(Patch::Clear);
    }
    read::alias(json, faults).map(Patch::Set)
}

fn connection(json: Json, faults: &mut Faults) -> Option<Stated> {
    let mut members = faults.object(json)?;
    let stated = members.read_required("state", faults, |json, faults| {
        let mut members = faults.object(json)?;
        let scheme =
            members.read_required("authScheme", faults, |json, faults| scheme(&json, faults));
        let val = members.read_required("val", faults, val);
        members.refuse_rest(faults);
        Some(Stated { scheme, val })
    });
    members.refuse_rest(faults);
    stated
}

/// The members without those that are about the connection, which a read shows among them.
fn val(json: Json, faults: &mut Faults) -> Option<Object> {
    let mut members = shape::map(json, faults)?;
    for about in [read::STATUS, read::REDIRECT_URL] {
        members.remove(about);
    }
    Some(members)
}

/// Names what is wrong with values beside other faults. Alone, values are judged once it is known which of them were
/// only shown and sent back: a stored one may be of any kind and size.
fn check_values(members: &Object, faults: &mut Faults) {
    faults.within("connection", |faults| {
        faults.within("state", |faults| {
            for (name, value) in members.iter() {
                if !matches!(value.kind(), JsonKind::String | JsonKind::Null) {
                    let (expected, received) = (Expected::String, value.kind());
                    faults.within("val", |faults| {
                        faults.note(name.to_owned(), Rule::Type { expected, received });
                    });
                }
            }
            faults.merge_here(account_rules::broken_by_members("val", members));
        });
    });
}

/// Whether a connected account is to be switched on. Unknown members are ignored.
#[derive(Debug)]
pub(in super::super) struct SwitchBody {
    /// Whether it is.
    pub enabled: bool,
}

impl FromJson for SwitchBody {
    fn from_json(json: Json) -> Result<Self, Vec<Issue>> {
        let mut faults = Faults::default();
        let switch = faults.object(json).and_then(|mut members| {
            let enabled = members.read_required("enabled", &mut faults, shape::boolean);
            Some(Self { enabled: enabled? })
        });
        faults.finish(switch)
    }
}

/// What a refresh asks for. Unknown members are ignored.
#[derive(Debug, Default)]
pub(in super::super) struct RefreshBody {
    /// Whether the new credential is to be tested.
    pub validate: bool,
}

impl FromJson for RefreshBody {
    fn from_json(json: Json) -> Result<Self, Vec<Issue>> {
        let mut faults = Faults::default();
        let asked = faults.object(json).map(|mut members| {
            redirect_url(&mut members, &mut faults);
            let validate = members.read("validate_credentials", &mut faults, shape::boolean);
            Self {
                validate: validate.unwrap_or_default(),
            }
        });
        faults.finish(asked)
    }
}

/// The query of a refresh, which may say where the browser goes in the end as the body may. Nothing leads there: a
/// refresh sends nobody to the provider.
#[derive(Debug)]
pub(in super::super) struct RefreshQuery;

impl FromQuery for RefreshQuery {
    fn from_pairs(pairs: &[(String, String)]) -> Result<Self, Vec<Issue>> {
        let mut faults = Faults::default();
        let named = pairs.iter().filter(|(name, _)| name == "redirect_url");
        for (_, value) in named.filter(|(_, value)| !value.is_empty()) {
            if let Some(broken) = account_rules::broken_by_callback_url(value) {
                faults.note("redirect_url", broken);
            }
        }
        faults.finish(Some(Self))
    }
}

fn redirect_url(members: &mut Members, faults: &mut Faults) {
    members.read("redirect_url", faults, read::callback_url);
}
