//! The settings: environment and flags, each with a default that runs. A wrong value stops the start with its name.

mod managed_apps;
mod next_root_key;
mod root_key;
mod values;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::domain::AuditReads;
use crate::domain::rate_limits::{Rate, RateLimits};
pub use next_root_key::NextRootKey;
pub use root_key::{ConfigError, RootKeySource};
use values::{allowed_host, audit_reads, public_url, retention};

/// Where the data are: on every command.
#[derive(Clone, Args)]
pub struct StoreSettings {
    /// The Postgres to use, as a URL (in the environment rather, where it holds a password: others can see arguments);
    /// without one, Keyway runs its own in the data directory
    #[arg(
        long,
        env = "DATABASE_URL",
        global = true,
        hide_env_values = true,
        value_name = "URL"
    )]
    pub database_url: Option<String>,
    /// A file that holds the password of the database's login
    #[arg(
        long,
        env = "KEYWAY_DATABASE_PASSWORD_FILE",
        global = true,
        hide = true,
        value_name = "FILE"
    )]
    pub database_password_file: Option<PathBuf>,
    /// The directory of the embedded Postgres and of its root key
    #[arg(long, env = "KEYWAY_DATA_DIR", global = true, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Where initdb and postgres are, for the embedded Postgres
    #[arg(
        long,
        env = "KEYWAY_PG_BIN_DIR",
        global = true,
        hide = true,
        value_name = "DIR"
    )]
    pub pg_bin_dir: Option<PathBuf>,
    /// The file that holds the root key: 32 bytes as base64 [default: DIR/root.key on the embedded Postgres]
    #[arg(long, env = "KEYWAY_ROOT_KEY_FILE", global = true, value_name = "FILE")]
    pub root_key_file: Option<PathBuf>,
    /// Files of earlier root keys, which decrypt only
    #[arg(
        long,
        env = "KEYWAY_OLD_ROOT_KEY_FILES",
        global = true,
        hide = true,
        value_delimiter = ',',
        value_name = "FILES"
    )]
    pub old_root_key_files: Vec<PathBuf>,
}

/// Without the database's URL, which can hold a password.
impl fmt::Debug for StoreSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreSettings")
            .field("data_dir", &self.data_dir)
            .finish_non_exhaustive()
    }
}

/// How to serve.
#[derive(Debug, Clone, Args)]
pub struct ServeSettings {
    /// The address to listen on; port 0 takes a free one
    #[arg(
        long,
        env = "KEYWAY_LISTEN",
        default_value = "127.0.0.1:8080",
        value_name = "ADDRESS"
    )]
    pub listen: SocketAddr,
    /// Where /metrics is answered, for Prometheus: an address of its own, such as 127.0.0.1:9464; without one, nothing is measured
    #[arg(long, env = "KEYWAY_METRICS_LISTEN", value_name = "ADDRESS")]
    pub metrics_listen: Option<SocketAddr>,
    /// Begins every URL that is handed out [default: the listen address]
    #[arg(long, env = "KEYWAY_PUBLIC_URL", value_name = "URL", value_parser = public_url)]
    pub public_url: Option<String>,
    /// How long connections that an authType change retired can be restored, such as 7d or 12h; 0 destroys them at once
    #[arg(long, env = "KEYWAY_RETENTION", default_value = "7d", value_name = "TIME", value_parser = retention)]
    pub retention: Duration,
    /// When the audit row of a hand-out is written: sync (before the credential leaves) or batched (within 1 s after)
    #[arg(long, env = "KEYWAY_AUDIT_READS", default_value = "sync", value_name = "WHEN", value_parser = audit_reads)]
    pub audit_reads: AuditReads,
    /// How often one API key may ask, such as 600/m, 10/s or 5000/h: so many at once, which then come back evenly. Each server counts alone [default: no limit]
    #[arg(long, env = "KEYWAY_RATE_LIMIT_KEY", value_name = "RATE")]
    pub rate_limit_key: Option<Rate>,
    /// How often all API keys of one tenant together may ask, likewise [default: no limit]
    #[arg(long, env = "KEYWAY_RATE_LIMIT_TENANT", value_name = "RATE")]
    pub rate_limit_tenant: Option<Rate>,
    /// Hosts outside the public internet that may be called, such as 10.1.2.0/24:443,vault.corp:8200
    #[arg(long, env = "KEYWAY_EGRESS_ALLOW", value_delimiter = ',', value_name = "HOSTS", value_parser = allowed_host)]
    pub egress_allow: Vec<String>,
    /// A TOML file of OAuth apps that every tenant may use: for each an `[[apps]]` with `slug`, `client_id` and `client_secret_file`
    #[arg(long, env = "KEYWAY_MANAGED_APPS_FILE", value_name = "FILE")]
    pub managed_apps_file: Option<PathBuf>,
}

impl ServeSettings {
    /// What begins every URL that is handed out, without a slash at its end. `bound` is where the server listens.
    pub fn public_url(&self, bound: SocketAddr) -> String {
        self.public_url
            .clone()
            .unwrap_or_else(|| format!("http://{}", reachable(bound)))
    }

    /// How often a key and a tenant may ask.
    pub fn rate_limits(&self) -> RateLimits {
        RateLimits {
            key: self.rate_limit_key,
            tenant: self.rate_limit_tenant,
        }
    }
}

/// How this machine reaches a server that listens on `address`: every address means the loopback one too.
pub fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        });
    }
    address
}

impl StoreSettings {
    /// The data directory: the one named, else `/var/lib/keyway` for root (the database's own user must reach it),
    /// else the user's own.
    pub fn data_dir(&self) -> PathBuf {
        if let Some(directory) = &self.data_dir {
            return directory.clone();
        }
        if rustix::process::geteuid().is_root() {
            return PathBuf::from("/var/lib/keyway");
        }
        let home = || std::env::var_os("HOME").map_or_else(|| PathBuf::from("."), PathBuf::from);
        std::env::var_os("XDG_DATA_HOME")
            .map(PathBuf::from)
            .filter(|directory| directory.is_absolute())
            .unwrap_or_else(|| home().join(".local/share"))
            .join("keyway")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_is_reached_by_the_loopback_one() {
        for (listen, reached) in [
            ("0.0.0.0:80", "127.0.0.1:80"),
            ("[::]:80", "[::1]:80"),
            ("10.1.2.3:80", "10.1.2.3:80"),
        ] {
            let listen = listen.parse().expect("an address");
            assert_eq!(reachable(listen).to_string(), reached);
        }
    }
}
