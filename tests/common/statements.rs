//! Every statement of the store, by the role that runs it.

use keyway::store::{
    api_keys, audit, auth_config_list, auth_configs, connections, integrations, keys, retirement,
    secrets, tenants, unlock,
};

/// What a tenant's transaction runs.
pub fn of_tenants() -> Vec<&'static str> {
    [
        api_keys::STATEMENTS,
        audit::STATEMENTS,
        auth_config_list::STATEMENTS,
        auth_configs::STATEMENTS,
        connections::STATEMENTS,
        integrations::STATEMENTS,
        keys::STATEMENTS,
        retirement::STATEMENTS,
        secrets::STATEMENTS,
    ]
    .concat()
}

/// What the role `keyway_jobs` runs.
pub fn of_jobs() -> Vec<&'static str> {
    [
        keys::JOB_STATEMENTS,
        retirement::JOB_STATEMENTS,
        tenants::JOB_STATEMENTS,
        unlock::JOB_STATEMENTS,
    ]
    .concat()
}

/// What the role `keyway_auth` runs.
pub fn of_authentication() -> Vec<&'static str> {
    api_keys::AUTH_STATEMENTS.to_vec()
}
