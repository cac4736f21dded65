//! Where the faults that the domain finds in a set-auth request stand on the wire.

use crate::domain::Error;
use crate::domain::error::{Issue, Rule};

/// Where the credential's members lie in the request: declared fields are checked there.
const DATA: [&str; 4] = ["body", "authData", "GeneralAuth", "data"];
/// Where the name of the service stands.
const SERVER_NAME: [&str; 2] = ["body", "serverName"];

/// The same error with its issues at their places in a body with `serverName` and `authData`.
pub(in crate::http::klavis) fn in_auth_body(error: Error) -> Error {
    let Error::Invalid(issues) = error else {
        return error;
    };
    let placed = issues.into_iter().map(|issue| match issue.rule {
        Rule::UnknownService => Issue::new(SERVER_NAME.map(Into::into).to_vec(), issue.rule),
        rule => Issue::new([&DATA.map(Into::into)[..], &issue.path].concat(), rule),
    });
    Error::Invalid(placed.collect())
}

/// The same error where the only thing that can be wrong is the service's name in the path.
pub(in crate::http::klavis) fn in_path(error: Error) -> Error {
    let Error::Invalid(issues) = error else {
        return error;
    };
    let at_name = |issue: Issue| Issue::new(vec!["path".into(), "serverName".into()], issue.rule);
    Error::Invalid(issues.into_iter().map(at_name).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declared_field_called_service_is_no_name_of_a_service() {
        let found = Error::Invalid(vec![
            Issue::at("service", Rule::UnknownService),
            Issue::at("service", Rule::Required),
        ]);
        let Error::Invalid(issues) = in_auth_body(found) else {
            panic!("another error");
        };
        let paths: Vec<String> = issues
            .iter()
            .map(|issue| {
                let steps: Vec<_> = issue.path.iter().map(ToString::to_string).collect();
                steps.join(".")
            })
            .collect();
        assert_eq!(
            paths,
            ["body.serverName", "body.authData.GeneralAuth.data.service"]
        );
    }
}
