//! The limits of what goes into a strata or out of it. Ours, since Klavis tells of none; lengths are counted in
//! characters, as pydantic counts them.

use std::borrow::Cow;

use validator::ValidationError;

use super::{Finding, sized};
use crate::domain::error::Rule;
use crate::domain::strata::{Additions, NewExternalServer, Removals, Services};
use crate::json::Object;

/// The largest number of services that one request names.
pub const MAX_SERVICES: usize = 200;
/// The largest number of external servers of a strata.
const MAX_EXTERNAL: usize = 100;
/// The largest number of headers of an external server.
const MAX_HEADERS: usize = 100;

/// 1 to 255 characters: a name stands in an index.
pub(in crate::domain) fn external_name(text: &str) -> Finding {
    sized(text, text.chars().count(), 1, 255)
}

/// 1 to 2,048 characters.
pub(in crate::domain) fn external_url(text: &str) -> Finding {
    sized(text, text.chars().count(), 1, 2_048)
}

/// At most [`MAX_HEADERS`]. A rule of the whole server and not of its member: `validator` copies a member that breaks
/// a rule, and headers are secrets.
pub(in crate::domain) fn number_of_headers(server: &NewExternalServer) -> Finding {
    let count = server.headers.as_ref().map_or(0, Object::len);
    at_most(MAX_HEADERS, count, "headers")
}

/// At most [`MAX_SERVICES`].
pub(in crate::domain) fn services_put_in(additions: &Additions) -> Finding {
    at_most(MAX_SERVICES, named(&additions.services), "services")
}

/// At most [`MAX_SERVICES`].
pub(in crate::domain) fn services_taken_out(removals: &Removals) -> Finding {
    at_most(MAX_SERVICES, named(&removals.services), "services")
}

/// At most [`MAX_EXTERNAL`]. A rule of the whole input, as that of a config's fields.
pub(in crate::domain) fn number_of_external(additions: &Additions) -> Finding {
    at_most(MAX_EXTERNAL, additions.external.len(), "external")
}

/// The rule that a strata, or what is put into one, breaks with so many external servers.
pub fn too_many_external(count: usize) -> Option<Rule> {
    (count > MAX_EXTERNAL).then_some(Rule::TooMany { max: MAX_EXTERNAL })
}

/// The rule that a request breaks that names so many services.
pub fn too_many_services(count: usize) -> Option<Rule> {
    (count > MAX_SERVICES).then_some(Rule::TooMany { max: MAX_SERVICES })
}

fn named(services: &Services) -> usize {
    match services {
        Services::Named(names) => names.len(),
        Services::All => 0,
    }
}

fn at_most(max: usize, count: usize, member: &'static str) -> Finding {
    if count <= max {
        return Ok(());
    }
    let mut finding = ValidationError::new("too_many");
    finding.add_param(Cow::Borrowed("max"), &max);
    finding.add_param(Cow::Borrowed("member"), &member);
    Err(finding)
}

#[cfg(test)]
mod tests {
    use super::super::broken_limits;
    use super::*;
    use crate::domain::error::Issue;
    use crate::json::Json;

    fn server(name: &str, url: &str, headers: usize) -> NewExternalServer {
        let headers = (0..headers).map(|number| (number.to_string(), Json::Null));
        NewExternalServer {
            name: name.to_owned(),
            url: url.to_owned(),
            headers: Some(headers.collect()),
        }
    }

    fn additions(services: usize, external: usize) -> Additions {
        Additions {
            services: Services::Named(vec!["Slack".to_owned(); services]),
            external: (0..external).map(|_| server("a", "b", 0)).collect(),
        }
    }

    #[test]
    fn a_server_has_a_name_a_url_and_a_hundred_headers_at_most() {
        let fits = server(&"🔑".repeat(255), &"é".repeat(2_048), 100);
        assert_eq!(broken_limits(&fits), []);
        let beyond = server(&"🔑".repeat(256), &"é".repeat(2_049), 101);
        assert_eq!(
            broken_limits(&beyond),
            [
                Issue::at("headers", Rule::TooMany { max: 100 }),
                Issue::at("name", Rule::TooLong { max: 255 }),
                Issue::at("url", Rule::TooLong { max: 2_048 }),
            ]
        );
        assert_eq!(
            broken_limits(&server("", "a\0", 0)),
            [
                Issue::at("name", Rule::TooShort { min: 1 }),
                Issue::at("url", Rule::NulCharacter),
            ]
        );
    }

    #[test]
    fn a_request_has_200_services_and_100_other_servers_at_most() {
        assert_eq!(broken_limits(&additions(200, 100)), []);
        assert_eq!(
            broken_limits(&additions(201, 101)),
            [
                Issue::at("external", Rule::TooMany { max: 100 }),
                Issue::at("services", Rule::TooMany { max: 200 }),
            ]
        );
        let mut with_a_bad_one = additions(0, 1);
        with_a_bad_one.external.push(server("", "b", 0));
        let path = vec!["external".into(), 1.into(), "name".into()];
        assert_eq!(
            broken_limits(&with_a_bad_one),
            [Issue::new(path, Rule::TooShort { min: 1 })]
        );
        let removals = Removals {
            services: additions(201, 0).services,
            external: None,
        };
        assert_eq!(
            broken_limits(&removals),
            [Issue::at("services", Rule::TooMany { max: 200 })]
        );
    }
}
