//! The body of `POST /auth_configs`.

use super::settings;
use crate::domain::auth_config::{AuthConfigSettings, NewAuthConfig};
use crate::domain::error::{Expected, Issue, Rule};
use crate::domain::managed_apps::not_the_tenants;
use crate::domain::patch::Patch;
use crate::domain::scheme::Scheme;
use crate::http::extract::FromJson;
use crate::http::shape::{self, Faults, Members};
use crate::json::{Json, Object};

const MANAGED: &str = "use_composio_managed_auth";
const CUSTOM: &str = "use_custom_auth";

/// What it takes to make an auth config. Unknown members are ignored, as the public service does here.
#[derive(Debug)]
pub(in super::super) struct NewAuthConfigBody(pub NewAuthConfig);

impl FromJson for NewAuthConfigBody {
    fn from_json(json: Json) -> Result<Self, Vec<Issue>> {
        let mut faults = Faults::default();
        let new = faults.object(json).and_then(|mut members| {
            let toolkit = members
                .required("toolkit", &mut faults)
                .and_then(|toolkit| faults.within("toolkit", |faults| slug(toolkit, faults)));
            let config = members
                .take("auth_config")
                .unwrap_or_else(|| default_config().into());
            let config = faults.within("auth_config", |faults| {
                Some(config_of(faults.object(config)?, faults))
            });
            Some(Self(NewAuthConfig {
                toolkit: toolkit?,
                ..config?
            }))
        });
        faults.finish(new)
    }
}

/// `auth_config` where the body has none.
fn default_config() -> Object {
    [("type", Json::from(MANAGED))].into_iter().collect()
}

fn slug(json: Json, faults: &mut Faults) -> Option<String> {
    let mut members = faults.object(json)?;
    let slug = members.required("slug", faults)?;
    faults.within("slug", |faults| shape::text(slug, faults))
}

/// The `auth_config` part; the toolkit is filled in by the caller. Where `type` is no word of ours the members of
/// both forms are checked.
fn config_of(mut members: Members, faults: &mut Faults) -> NewAuthConfig {
    let custom = kind(&mut members, faults);
    let scheme = match custom {
        Some(false) => None,
        Some(true) => members
            .required("authScheme", faults)
            .and_then(|json| faults.within("authScheme", |faults| scheme(&json, faults))),
        None => members.read("authScheme", faults, |json, faults| scheme(&json, faults)),
    };
    let proxy = if custom == Some(false) {
        Patch::Keep
    } else {
        members.patch("proxy_config", faults, settings::proxy)
    };
    NewAuthConfig {
        toolkit: String::new(),
        scheme,
        name: members.read("name", faults, settings::name),
        settings: AuthConfigSettings {
            credentials: members
                .read("credentials", faults, |json, faults| {
                    let credentials = settings::credentials(json, faults)?;
                    if custom == Some(false) {
                        faults.merge_here(not_the_tenants(&credentials));
                    }
                    Some(credentials)
                })
                .unwrap_or_default(),
            shared: members
                .read("shared_credentials", faults, settings::cells)
                .unwrap_or_default(),
            proxy,
            tools: settings::tools(&mut members, faults),
            tool_router: members.read("is_enabled_for_tool_router", faults, shape::boolean),
        },
    }
}

/// Whether `type` asks for the caller's own app.
fn kind(members: &mut Members, faults: &mut Faults) -> Option<bool> {
    let json = members.required("type", faults)?;
    match json.as_str() {
        Some(CUSTOM) => Some(true),
        Some(MANAGED) => Some(false),
        _ => {
            faults.note("type", Rule::NotOneOf([MANAGED, CUSTOM].as_slice().into()));
            None
        }
    }
}

/// A scheme, by its name.
pub(super) fn scheme(json: &Json, faults: &mut Faults) -> Option<Scheme> {
    let Some(name) = json.as_str() else {
        faults.note_here(Rule::Type {
            expected: Expected::String,
            received: json.kind(),
        });
        return None;
    };
    let scheme = Scheme::from_name(name);
    if scheme.is_none() {
        faults.note_here(Rule::NotOneOf(Scheme::names().collect::<Vec<_>>().into()));
    }
    scheme
}
