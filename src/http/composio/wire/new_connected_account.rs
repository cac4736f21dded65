//! The body of `POST /connected_accounts`.

use super::account_members as read;
use super::new_auth_config::scheme;
use crate::domain::account_creation::{Asked, NewAccount};
use crate::domain::account_rules::{MAX_MEMBERS, Sharing};
use crate::domain::error::{Issue, Rule};
use crate::domain::ids::AuthConfigId;
use crate::domain::scheme::Scheme;
use crate::http::extract::FromJson;
use crate::http::shape::{self, Faults, Members};
use crate::json::{Json, Object};

/// Whose a connection is where the body does not say.
const DEFAULT_USER: &str = "default";

/// What it takes to make a connection. Unknown members are ignored, as the public service does here.
#[derive(Debug)]
pub(in super::super) struct NewAccountBody(pub NewAccount);

impl FromJson for NewAccountBody {
    fn from_json(json: Json) -> Result<Self, Vec<Issue>> {
        let mut faults = Faults::default();
        let new = faults.object(json).and_then(|mut members| {
            let config = members.read_required("auth_config", &mut faults, |json, faults| {
                let mut config = faults.object(json)?;
                config.read_required("id", faults, read::auth_config_id)
            });
            let connection = members.read_required("connection", &mut faults, |json, faults| {
                Some(connection(faults.object(json)?, faults))
            });
            let validate = members.read("validate_credentials", &mut faults, shape::boolean);
            Some(Self(NewAccount {
                validate: validate.unwrap_or_default(),
                ..connection?.of(config?)
            }))
        });
        faults.finish(new)
    }
}

/// The part `connection`.
struct Connection {
    user_id: Option<String>,
    alias: Option<String>,
    callback_url: Option<String>,
    state: State,
    sharing: Sharing,
}

/// What `state` and the deprecated `data` say together.
#[derive(Default)]
struct State {
    scheme: Option<Scheme>,
    asked: Asked,
    members: Object,
}

impl Connection {
    fn of(self, auth_config: AuthConfigId) -> NewAccount {
        NewAccount {
            auth_config,
            user_id: self.user_id.unwrap_or_else(|| DEFAULT_USER.to_owned()),
            alias: self.alias,
            scheme: self.state.scheme,
            asked: self.state.asked,
            members: self.state.members,
            callback_url: self.callback_url,
            validate: false,
            sharing: self.sharing,
        }
    }
}

fn connection(mut members: Members, faults: &mut Faults) -> Connection {
    let state = state(&mut members, faults);
    let user_id = members.read("user_id", faults, read::user_id);
    let callback_url = members.read("callback_url", faults, read::callback_url);
    let redirect_uri = members.read("redirect_uri", faults, read::callback_url);
    Connection {
        state,
        user_id,
        callback_url: callback_url.or(redirect_uri),
        alias: members.read("alias", faults, read::alias),
        sharing: read::sharing(&mut members),
    }
}

/// `state` wins over `data`, key by key.
fn state(members: &mut Members, faults: &mut Faults) -> State {
    let stated = members.read("state", faults, |json, faults| {
        let mut state = faults.object(json)?;
        let scheme = state.read("authScheme", faults, |json, faults| scheme(&json, faults));
        let val = read::credential(&mut state, "val", faults).unwrap_or_default();
        let asked = faults.within("val", |faults| read::asked(&val, faults));
        Some((scheme, asked, val))
    });
    let mut all = read::credential(members, "data", faults).unwrap_or_default();
    let data_asked = faults.within("data", |faults| read::asked(&all, faults));
    let (scheme, asked, val) = stated.unwrap_or_default();
    let each_fits = all.len() <= MAX_MEMBERS && val.len() <= MAX_MEMBERS;
    for (name, value) in val.iter() {
        all.insert(name, value.clone());
    }
    if each_fits && all.len() > MAX_MEMBERS {
        faults.note("state", Rule::TooMany { max: MAX_MEMBERS });
    }
    let asked = if asked == Asked::Nothing {
        data_asked
    } else {
        asked
    };
    State {
        scheme,
        asked,
        members: read::values(&all),
    }
}
