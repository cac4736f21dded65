//! The operator's shared OAuth apps: what makes a managed auth config possible. They live in memory only. Nothing of
//! them is ever stored in a tenant's row, and no dialect shows them.

use std::collections::BTreeMap;
use std::fmt;

use super::catalogue::{Catalogue, Entry};
use super::cell_rules::is_redacted;
use super::error::{Issue, Rule};
use super::scheme::Scheme;
use crate::crypto::Secret;
use crate::json::Object;

/// The scheme of every managed auth config.
pub const SCHEME: Scheme = Scheme::OAuth2;
/// The credentials of a managed auth config that are the tenant's own. All others are the operator's.
const TENANTS_OWN: [&str; 2] = ["scopes", "user_scopes"];
/// The credentials that every managed auth config shows, masked, whatever it holds itself.
pub(super) const SHOWN: [&str; 3] = ["client_id", "client_secret", "scopes"];

/// The apps, one for a catalogue entry at most.
#[derive(Default)]
pub struct ManagedApps(BTreeMap<&'static str, ManagedApp>);

/// One OAuth app of the operator's.
pub struct ManagedApp {
    /// The id that the provider gave it.
    pub client_id: String,
    /// Its secret, as a cell holds it: the JSON text of a string.
    pub client_secret: Secret,
    /// What users are asked for where an auth config names no scopes; empty means the catalogue's default.
    pub scopes: Vec<String>,
}

/// Why an app cannot be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// No catalogue entry answers to the name.
    UnknownService,
    /// The catalogue knows no OAuth 2 of the service.
    NoOAuth2,
    /// The service has an app already.
    Twice,
}

impl ManagedApps {
    /// Adds the app of a service, by any name of its catalogue entry.
    pub fn add(&mut self, service: &str, app: ManagedApp) -> Result<(), Unfit> {
        let entry = Catalogue::built_in()
            .find_name(service)
            .ok_or(Unfit::UnknownService)?;
        if entry.scheme(SCHEME.name()).is_none() {
            return Err(Unfit::NoOAuth2);
        }
        if self.of(entry).is_some() {
            return Err(Unfit::Twice);
        }
        self.0.insert(&entry.slug, app);
        Ok(())
    }

    /// The app of a catalogue entry. An integration that was not made from the entry has none, whatever its name.
    pub fn of(&self, entry: &Entry) -> Option<&ManagedApp> {
        self.0.get(entry.slug.as_str())
    }

    /// The catalogue's slugs of the services that have an app, in order.
    pub fn slugs(&self) -> impl Iterator<Item = &'static str> {
        self.0.keys().copied()
    }
}

/// The credentials for a managed auth config that would take the place of the operator's: client, URLs, whatever is no
/// scope. A null and what a read shows set nothing, so that a copy of a managed config is taken.
pub fn not_the_tenants(credentials: &Object) -> Vec<Issue> {
    let others = credentials.iter().filter(|(key, value)| {
        !TENANTS_OWN.contains(key) && !value.is_null() && !is_redacted(value)
    });
    let with = "the operator's app: only scopes and user_scopes are yours";
    others
        .map(|(key, _)| Issue::at(key.to_owned(), Rule::NotWith(with)))
        .collect()
}

/// The services only.
impl fmt::Debug for ManagedApps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app() -> ManagedApp {
        ManagedApp {
            client_id: "CANARY-1".to_owned(),
            client_secret: Secret::from("CANARY-2".to_owned()),
            scopes: vec!["CANARY-3".to_owned()],
        }
    }

    #[test]
    fn a_service_has_one_app_under_any_of_its_names() {
        let mut apps = ManagedApps::default();
        assert_eq!(apps.add("Google Calendar", app()), Ok(()));
        assert_eq!(apps.add("googlecalendar", app()), Err(Unfit::Twice));
        assert_eq!(apps.add("github", app()), Ok(()));
        let catalogue = Catalogue::built_in();
        let entry = |name| catalogue.find_name(name).expect("it is in the catalogue");
        assert!(apps.of(entry("GOOGLE_CALENDAR")).is_some());
        assert!(apps.of(entry("gmail")).is_none());
        assert_eq!(
            apps.slugs().collect::<Vec<_>>(),
            ["github", "google-calendar"]
        );
    }

    #[test]
    fn what_the_catalogue_has_no_oauth_of_is_refused() {
        let mut apps = ManagedApps::default();
        assert_eq!(apps.add("no such", app()), Err(Unfit::UnknownService));
        for service in ["openai", "hacker-news", "clockwise", "paypal"] {
            assert_eq!(apps.add(service, app()), Err(Unfit::NoOAuth2), "{service}");
        }
    }

    #[test]
    fn debug_shows_the_services_and_nothing_of_their_apps() {
        let mut apps = ManagedApps::default();
        apps.add("github", app()).expect("it has OAuth");
        assert_eq!(format!("{apps:?}"), r#"{"github"}"#);
    }
}
