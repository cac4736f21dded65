//! `keyway migrate`: roles, login and schema in a Postgres of the user's own.

use std::path::PathBuf;

use super::{Failure, house, output};
use crate::config::StoreSettings;
use crate::store::provision;

#[derive(Debug, clap::Args)]
pub(super) struct Migrate {
    /// The login that the server will use; made where it is not there
    #[arg(long, default_value = provision::LOGIN, value_name = "NAME")]
    login: String,
    /// A file that holds the login's password
    #[arg(long, value_name = "FILE")]
    login_password_file: Option<PathBuf>,
}

pub(super) async fn run(
    store: &StoreSettings,
    migrate: Migrate,
    json: bool,
) -> Result<(), Failure> {
    let Some(url) = &store.database_url else {
        return Err(Failure::Usage(
            "`keyway migrate` needs --database-url with an administrator's login; the embedded Postgres migrates itself"
                .to_owned(),
        ));
    };
    let options = house::connect_options(store, url)?;
    let file = migrate.login_password_file.as_deref();
    let password = file.map(|file| house::password(file, "--login-password-file"));
    let password = password.transpose()?;
    let login = migrate.login;
    provision::prepare(
        &options,
        &login,
        password.as_ref().map(|text| text.as_str()),
    )
    .await?;
    if json {
        output::json(&serde_json::json!({ "migrated": true, "login": login }))
    } else {
        output::line(&format!(
            "The schema is up to date; the server's login is {login}."
        ))
    }
}
