//! Names of services in a request. Whether a name leads to a service is for the domain to say, also where other fields
//! are wrong: a 422 names all faults, each at its place.

use super::read::service_name;
use crate::domain::error::{Issue, Rule, Segment};
use crate::domain::{Caller, Error, Service};
use crate::http::shape::Faults;
use crate::json::Json;

/// A request as it was read, with the names in it that may lead nowhere.
#[derive(Debug)]
pub(in crate::http::klavis) struct Named<T> {
    names: Names,
    request: Result<T, Vec<Issue>>,
}

/// The names that were read so far.
#[derive(Debug, Default)]
pub(in crate::http::klavis) struct Names(Vec<Name>);

#[derive(Debug)]
struct Name {
    text: String,
    path: Vec<Segment>,
    /// How many of the request's other faults come before one of this name.
    after: usize,
    /// Where the other arm of a union lies that takes the word ALL, if the name stands in one.
    or_all: Option<Vec<Segment>>,
}

/// The word that stands for every service: what the other arm of such a union takes.
pub(super) const ALL: &str = "ALL";

impl Names {
    /// Reads the name of a service, and remembers it with its place.
    pub fn read(&mut self, json: Json, faults: &mut Faults) -> Option<String> {
        let text = service_name(json, faults)?;
        self.0.push(Name {
            text: text.clone(),
            path: faults.place().to_vec(),
            after: faults.count(),
            or_all: None,
        });
        Some(text)
    }

    /// How many names were read so far.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The names from the `first` on stand in one arm of a union. Its other arm, at `path`, takes the word ALL: where
    /// one of the names leads nowhere, both arms are wrong.
    pub fn or_all(&mut self, first: usize, path: &[Segment]) {
        for name in self.0.iter_mut().skip(first) {
            name.or_all = Some(path.to_vec());
        }
    }

    /// `issues` and, among them, one for each name that leads to no service of this caller, and one for the other arm
    /// of each union that such a name stands in.
    pub async fn checked(
        self,
        service: &Service,
        caller: &Caller,
        mut issues: Vec<Issue>,
    ) -> Result<Vec<Issue>, Error> {
        let texts = self.0.iter().map(|name| name.text.clone()).collect();
        let unknown = service.unknown_services(caller, texts).await?;
        let mut told = None;
        for name in unknown.into_iter().rev().filter_map(|at| self.0.get(at)) {
            let at = name.after.min(issues.len());
            // From the last name to the first: the other arm comes after all of this one.
            if let Some(path) = name.or_all.as_ref().filter(|path| told != Some(*path)) {
                issues.insert(at, Issue::new(path.clone(), Rule::NotTheWord(ALL)));
                told = Some(path);
            }
            issues.insert(at, Issue::new(name.path.clone(), Rule::UnknownService));
        }
        Ok(issues)
    }
}

impl<T> Named<T> {
    /// The request, and the names in it.
    pub fn new(names: Names, request: Result<T, Vec<Issue>>) -> Self {
        Self { names, request }
    }

    /// The request, or everything that is wrong with it, unknown names included. A request without another fault is
    /// passed on as it is: what it asks for finds the unknown name itself.
    pub async fn checked(self, service: &Service, caller: &Caller) -> Result<T, Error> {
        match self.request {
            Ok(request) => Ok(request),
            Err(issues) => Err(Error::Invalid(
                self.names.checked(service, caller, issues).await?,
            )),
        }
    }

    /// As [`Named::checked`], for a request that passes on less than all of its names: every one is looked up.
    pub async fn wholly_checked(self, service: &Service, caller: &Caller) -> Result<T, Error> {
        let (issues, request) = match self.request {
            Ok(request) => (Vec::new(), Some(request)),
            Err(issues) => (issues, None),
        };
        let issues = self.names.checked(service, caller, issues).await?;
        match request {
            Some(request) if issues.is_empty() => Ok(request),
            _ => Err(Error::Invalid(issues)),
        }
    }

    /// What was read, apart from the names.
    #[cfg(test)]
    pub fn request(self) -> Result<T, Vec<Issue>> {
        self.request
    }
}
