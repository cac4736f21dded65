//! Every statement of the store, by the role that runs it.

use keyway::store::{
    account_list, account_parts, api_keys, audit, auth_config_deletion, auth_config_list,
    auth_configs, connections, hot, integrations, keys, links, retirement, rotation, secrets,
    strata, tenants, unlock, users, white_labels,
};

/// What a tenant's transaction runs.
pub fn of_tenants() -> Vec<&'static str> {
    [
        account_list::STATEMENTS,
        account_parts::STATEMENTS,
        api_keys::STATEMENTS,
        audit::STATEMENTS,
        auth_config_deletion::STATEMENTS,
        auth_config_list::STATEMENTS,
        auth_configs::STATEMENTS,
        connections::STATEMENTS,
        integrations::STATEMENTS,
        keys::STATEMENTS,
        links::STATEMENTS,
        retirement::STATEMENTS,
        secrets::STATEMENTS,
        strata::STATEMENTS,
        users::STATEMENTS,
        white_labels::STATEMENTS,
    ]
    .concat()
}

/// What the role `keyway_jobs` runs.
pub fn of_jobs() -> Vec<&'static str> {
    [
        audit::JOB_STATEMENTS,
        keys::JOB_STATEMENTS,
        links::JOB_STATEMENTS,
        retirement::JOB_STATEMENTS,
        &rotation::JOB_STATEMENTS.concat(),
        tenants::JOB_STATEMENTS,
        unlock::JOB_STATEMENTS,
    ]
    .concat()
}

/// What the role `keyway_auth` runs in a transaction.
pub fn of_auth() -> Vec<&'static str> {
    links::AUTH_STATEMENTS.to_vec()
}

/// What the login itself runs: calls of functions that switch to a role.
pub fn of_login() -> Vec<&'static str> {
    hot::LOGIN_STATEMENTS.to_vec()
}
