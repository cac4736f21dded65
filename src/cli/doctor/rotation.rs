//! Whether a rotation was begun and not finished.

use time::format_description::well_known::Rfc3339;

use super::{Finding, Verdict};
use crate::crypto::RootId;
use crate::store::Db;
use crate::store::keys::Fingerprints;
use crate::store::rotation::overview::{Overview, overview};

pub(super) async fn check(db: &Db, configured: Option<RootId>) -> Finding {
    match overview(db).await {
        Ok(overview) => judge(&overview, configured),
        Err(error) => Finding::bad("rotation", error.to_string()),
    }
}

fn judge(overview: &Overview, configured: Option<RootId>) -> Finding {
    let mut says = Vec::new();
    let mut verdict = Verdict::Ok;
    if !overview.others.is_empty() {
        verdict = Verdict::Warning;
        says.push(format!(
            "a rotation of the root key is not finished, and {} must stay configured: run `keyway root-key rotate`",
            Fingerprints(overview.others.clone())
        ));
    }
    if let (Some(sealing), Some(configured)) = (overview.sealing, configured)
        && sealing != configured
    {
        verdict = Verdict::Warning;
        says.push(format!(
            "{configured} is configured to seal, and {sealing} still does: when every server holds both, run `keyway \
             root-key rotate`"
        ));
    }
    for (name, since, looked) in &overview.tenants {
        let since = since.format(&Rfc3339).unwrap_or_default();
        if looked.is_some() {
            verdict = Verdict::Bad;
            says.push(format!(
                "of tenant {name:?} something is still sealed under a data key that was replaced at {since}, and does \
                 not open: restore the cells that the server's log names, then run `keyway tenant rotate-key`"
            ));
        } else {
            verdict = verdict.worse(Verdict::Warning);
            says.push(format!(
                "the data key of tenant {name:?} was replaced at {since}, and something may still be sealed under the old \
                 one: a running server encrypts that anew some minutes later"
            ));
        }
    }
    if says.is_empty() {
        says.push("none is unfinished".to_owned());
    }
    Finding::new(verdict, "rotation", says.join("; "))
}

impl Verdict {
    fn worse(self, other: Self) -> Self {
        if self == Self::Bad { self } else { other }
    }
}
