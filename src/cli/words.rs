//! What is said about the state of a database in more than one place: with the remedy, never with a value.

use std::path::Path;

use crate::domain::rotation::TenantRotation;
use crate::store::keys::Fingerprints;
use crate::store::schema_check::Findings;

/// A login that policies do not bind.
pub(super) const POWERFUL_LOGIN: &str = "the login of DATABASE_URL is a superuser or bypasses row-level security: only the switch of roles protects \
     tenants from each other. `keyway migrate --database-url … --login NAME` makes an unprivileged login";

/// Those of the missing roles without which nothing can be served; the schema's owner is for migrations only.
pub(super) fn needed_to_serve(missing: Vec<String>) -> Vec<String> {
    let mut missing = missing;
    missing.retain(|role| role != "keyway_owner");
    missing
}

/// Roles that the login cannot switch to.
pub(super) fn missing_roles(missing: &[String]) -> String {
    format!(
        "the login cannot switch to {}: run `keyway migrate --database-url … --login NAME` as the administrator, with \
         the name of this login",
        missing.join(", ")
    )
}

/// A schema that lets one tenant see another.
pub(super) fn not_isolated(findings: &Findings) -> String {
    let mut faults = Vec::new();
    if !findings.unguarded.is_empty() {
        faults.push(format!(
            "without forced row-level security or without the tenant policy: {} (`ALTER TABLE … ENABLE ROW LEVEL \
             SECURITY`, `ALTER TABLE … FORCE ROW LEVEL SECURITY`)",
            findings.unguarded.join(", ")
        ));
    }
    if !findings.too_open.is_empty() {
        let policies = findings.too_open.join(", ");
        faults.push(format!(
            "policies that open rows to other tenants: {policies} (`DROP POLICY … ON …`)"
        ));
    }
    if findings.tenant_role_unbound {
        faults.push(
            "the role keyway_tenant is not bound by policies (`ALTER ROLE keyway_tenant NOSUPERUSER NOBYPASSRLS`)"
                .to_owned(),
        );
    }
    format!(
        "the database does not isolate tenants: {}. Undo that change as the administrator, or restore the schema from \
         a backup",
        faults.join("; ")
    )
}

/// The default root key file has gone, and something was sealed under it.
pub(super) fn missing_root_key(file: &Path, needed: &Fingerprints) -> String {
    format!(
        "the root key file {} is missing, and this database was sealed under {needed}: put the file back from your \
         backup, or name it with KEYWAY_ROOT_KEY_FILE",
        file.display()
    )
}

/// How far the rotation of a tenant's data key has come.
pub(super) fn rotated(name: &str, rotation: &TenantRotation) -> String {
    let TenantRotation {
        data_key, cells, ..
    } = rotation;
    let done =
        format!("Data key {data_key} of tenant {name} seals; {cells} cells were encrypted anew.");
    if rotation.finished {
        format!(
            "{done} Nothing is sealed under the old one any more; it is kept for 7 days all the same, for what a server \
             that was suspended may still write."
        )
    } else if rotation.wait.is_zero() {
        format!("{done} Something is still sealed under the old one, which is kept.")
    } else {
        let minutes = rotation.wait.as_secs().div_ceil(60);
        format!(
            "{done} Servers may seal under the old one for {minutes} more minutes; then a running server encrypts that \
             anew too (or run this again). The old one is kept for 7 days."
        )
    }
}
