//! The body of `PATCH /auth_configs/{nanoid}`.

use super::settings;
use crate::domain::Error;
use crate::domain::auth_config::{AuthConfigChange, AuthConfigSettings};
use crate::domain::error::{Issue, Refusal, Rule};
use crate::domain::patch::Patch;
use crate::http::extract::FromJson;
use crate::http::shape::{self, Faults, Members};
use crate::json::{Json, Object};

/// The only member of the wrapped form, which the published example of this endpoint sends.
pub(in super::super) const WRAPPER: &str = "auth_config";

/// A change as it came. Which members it may have can depend on the stored config, so it is read once that is known.
#[derive(Debug)]
pub(in super::super) struct AuthConfigChangeBody(Json);

impl FromJson for AuthConfigChangeBody {
    fn from_json(json: Json) -> Result<Self, Vec<Issue>> {
        Ok(Self(json))
    }
}

impl AuthConfigChangeBody {
    /// Whether it has the wrapped form.
    pub(in super::super) fn is_wrapped(&self) -> bool {
        let object = self.0.as_object();
        object.is_some_and(|object| object.len() == 1 && object.contains_key(WRAPPER))
    }

    /// The change, or everything that is wrong with the body. `managed` is the stored config's, and stands for a
    /// `type` that the wrapped form leaves out.
    pub(in super::super) fn read(
        self,
        managed: bool,
        if_match: Option<String>,
    ) -> Result<AuthConfigChange, Error> {
        let mut faults = Faults::default();
        let wrapped = self.is_wrapped();
        if let Some(asked) = asked_kind(&self.0, wrapped)
            && asked != managed
        {
            // Which members there may be depends on the type, so a wrong one is all that can be said.
            return Err(Error::Refused(Refusal::AuthConfigTypeMismatch { managed }));
        }
        let change = faults.object(self.0).and_then(|mut members| {
            if !wrapped {
                return Some(change(members, None, if_match, &mut faults));
            }
            let inner = members.take(WRAPPER)?;
            if inner.as_object().is_some_and(Object::is_empty) {
                faults.note(WRAPPER, Rule::Required);
                return None;
            }
            faults.within(WRAPPER, |faults| {
                Some(change(
                    faults.object(inner)?,
                    Some(managed),
                    if_match,
                    faults,
                ))
            })
        });
        faults.finish(change).map_err(Error::Invalid)
    }
}

/// What a valid `type` says: whether the caller takes the config for a managed one.
fn asked_kind(body: &Json, wrapped: bool) -> Option<bool> {
    let mut members = body.as_object()?;
    if wrapped {
        members = members.get(WRAPPER)?.as_object()?;
    }
    match members.get("type")?.as_str()? {
        "custom" => Some(false),
        "default" => Some(true),
        _ => None,
    }
}

/// Which members there are: those of one `type`, or of both where it is unknown.
#[derive(Clone, Copy)]
enum Arm {
    Custom,
    Default,
    Either,
}

fn change(
    mut members: Members,
    stored: Option<bool>,
    if_match: Option<String>,
    faults: &mut Faults,
) -> AuthConfigChange {
    let managed = kind(&mut members, stored.is_some(), faults);
    let arm = match managed.or(stored) {
        Some(false) => Arm::Custom,
        Some(true) => Arm::Default,
        None => Arm::Either,
    };
    let name = members.read("name", faults, settings::name);
    let tools = settings::tools(&mut members, faults);
    let shared = members
        .read("shared_credentials", faults, settings::cells)
        .unwrap_or_default();
    let tool_router = members.read("is_enabled_for_tool_router", faults, shape::boolean);
    let (mut credentials, mut proxy) = (Object::new(), Patch::Keep);
    if !matches!(arm, Arm::Default) {
        credentials = members
            .read("credentials", faults, settings::credentials)
            .unwrap_or_default();
        proxy = members.patch("proxy_config", faults, settings::proxy);
    }
    if !matches!(arm, Arm::Custom) {
        for key in settings::SCOPE_KEYS {
            if let Some(scopes) = settings::scopes(&mut members, key, faults) {
                credentials.insert(key, scopes);
            }
        }
    }
    members.refuse_rest(faults);
    let settings = AuthConfigSettings {
        credentials,
        shared,
        proxy,
        tools,
        tool_router,
    };
    AuthConfigChange {
        managed,
        name,
        settings,
        if_match,
    }
}

/// What `type` says; `None` where it is left out (a fault unless `optional`) or is no word of ours (a fault).
fn kind(members: &mut Members, optional: bool, faults: &mut Faults) -> Option<bool> {
    let Some(json) = members.take("type") else {
        if !optional {
            faults.note("type", Rule::Required);
        }
        return None;
    };
    match json.as_str() {
        Some("custom") => Some(false),
        Some("default") => Some(true),
        _ => {
            faults.note(
                "type",
                Rule::NotOneOf(["custom", "default"].as_slice().into()),
            );
            None
        }
    }
}
