//! The body of `POST /connected_accounts/link`.

use super::account_members as read;
use crate::domain::account_link::NewLink;
use crate::domain::error::Issue;
use crate::http::extract::FromJson;
use crate::http::shape::Faults;
use crate::json::Json;

/// What it takes to make a connection that its user completes. Unknown members are ignored, as the public service does
/// here.
#[derive(Debug)]
pub(in super::super) struct NewLinkBody(pub NewLink);

impl FromJson for NewLinkBody {
    fn from_json(json: Json) -> Result<Self, Vec<Issue>> {
        let mut faults = Faults::default();
        let new = faults.object(json).and_then(|mut members| {
            let auth_config =
                members.read_required("auth_config_id", &mut faults, read::auth_config_id);
            let user_id = members.read_required("user_id", &mut faults, read::user_id);
            let callback_url = members.read("callback_url", &mut faults, read::callback_url);
            let given = read::credential(&mut members, "connection_data", &mut faults);
            let alias = members.read("alias", &mut faults, read::alias);
            Some(Self(NewLink {
                auth_config: auth_config?,
                user_id: user_id?,
                alias,
                callback_url,
                members: given.map(|given| read::values(&given)).unwrap_or_default(),
                sharing: read::sharing(&mut members),
            }))
        });
        faults.finish(new)
    }
}
