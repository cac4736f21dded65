//! What must hold of the schema and of the login before the server listens: isolation is checked, not believed.

use super::error::failed;
use super::{Access, Db};
use crate::domain::Error;

const UNGUARDED: &str =
    "-- schema check: tenant tables without forced row-level security or a checking policy
    SELECT c.relname::text FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
        AND NOT (c.relrowsecurity AND c.relforcerowsecurity AND EXISTS (
            SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polwithcheck IS NOT NULL
                AND p.polqual IS NOT NULL AND p.polpermissive AND p.polcmd = '*'
                AND p.polroles = ARRAY['keyway_tenant'::regrole::oid]))
    ORDER BY 1";
/// Permissive policies add up, so every one that reaches the tenant role must be of the one form, to the letter; and
/// the function that it asks must be the one that was migrated.
const TOO_OPEN: &str = "-- schema check: policies that let the tenant role see more than its tenant
    SELECT c.relname::text || '.' || p.polname::text FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
    WHERE c.relnamespace = 'public'::regnamespace AND p.polpermissive
        AND EXISTS (SELECT FROM unnest(p.polroles) AS role(id)
            WHERE CASE WHEN role.id = 0 THEN true ELSE pg_has_role('keyway_tenant', role.id, 'MEMBER') END)
        AND NOT COALESCE(p.polroles = ARRAY['keyway_tenant'::regrole::oid]
            AND pg_get_expr(p.polqual, p.polrelid) = '(tenant_id = ( SELECT current_tenant() AS current_tenant))'
            AND pg_get_expr(p.polwithcheck, p.polrelid) = '(tenant_id = ( SELECT current_tenant() AS current_tenant))',
            false)
    UNION ALL SELECT f.proname::text || '()' FROM pg_proc f
    WHERE f.pronamespace = 'public'::regnamespace AND f.proname = 'current_tenant'
        AND NOT COALESCE(pg_get_function_sqlbody(f.oid) =
            'RETURN (NULLIF(current_setting(''app.tenant_id''::text, true), ''''::text))::uuid'
            AND f.pronargs = 0 AND NOT f.prosecdef, false)
    ORDER BY 1";
const POWERS: &str = "-- schema check: what the login may do
    SELECT r.rolsuper, r.rolbypassrls, r.rolinherit, s.rolsuper OR s.rolbypassrls
    FROM pg_roles r, pg_roles s WHERE r.rolname = session_user AND s.rolname = 'keyway_tenant'";

/// What is wrong with the database; empty findings mean that tenants are isolated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// Tables with a `tenant_id` that lack ENABLE and FORCE row-level security or a policy with WITH CHECK.
    pub unguarded: Vec<String>,
    /// Policies (`table.policy`) that let the role `keyway_tenant` see more than its tenant, and the function that
    /// they ask (`current_tenant()`) where it is another one than was migrated.
    pub too_open: Vec<String>,
    /// The role `keyway_tenant` itself is not bound by policies.
    pub tenant_role_unbound: bool,
    /// The login is a superuser or bypasses row-level security: only the switch of roles protects.
    pub powerful_login: bool,
    /// The login inherits the rights of its roles: a statement outside a role is silence instead of an error.
    pub inheriting_login: bool,
}

impl Findings {
    /// Whether the server must not start.
    pub fn is_fatal(&self) -> bool {
        !self.unguarded.is_empty() || !self.too_open.is_empty() || self.tenant_role_unbound
    }
}

/// Looks at the catalogue of the database.
pub async fn check(db: &Db) -> Result<Findings, Error> {
    db.jobs(Access::Read, |tx| {
        Box::pin(async move {
            let unguarded = sqlx::query_scalar(UNGUARDED)
                .fetch_all(tx.connection())
                .await
                .map_err(failed)?;
            let too_open = sqlx::query_scalar(TOO_OPEN)
                .fetch_all(tx.connection())
                .await
                .map_err(failed)?;
            let (superuser, bypasses, inherits, tenant_role_unbound): (bool, bool, bool, bool) =
                sqlx::query_as(POWERS)
                    .fetch_one(tx.connection())
                    .await
                    .map_err(failed)?;
            Ok(Findings {
                unguarded,
                too_open,
                tenant_role_unbound,
                powerful_login: superuser || bypasses,
                inheriting_login: inherits && !superuser,
            })
        })
    })
    .await
}
