//! What the configuration file and the environment say.
//!
//! The names are Gotify 2's. Three layers, the later ones win: the defaults of this module, one file
//! (`config.yml` in the working directory, else `/etc/gotify/config.yml`), and `GOTIFY_*` variables.
//! [`load()`] checks each value where it stands and reports all problems at once, each with its key and source.
//!
//! These types mirror the file. What the library works with is in [`crate::server`]; [`Loaded::server`],
//! [`Loaded::stream`] and [`Loaded::metrics`] convert.

mod convert;
mod cors;
mod csv;
mod database;
mod default_user;
mod environment;
mod file;
mod https;
mod load;
mod login_limit;
mod metrics;
mod network;
mod oidc;
mod problem;
mod schema;
mod secret;
mod server;
mod ssl;
mod stream;
mod unsupported;

use serde::{Deserialize, Serialize};

use crate::model::Compatibility;

pub use cors::CorsSection;
pub use database::{Connection, DatabaseSection};
pub use default_user::DefaultUserSection;
pub use load::{Files, Loaded, load};
pub use login_limit::LoginLimitSection;
pub use metrics::{MetricsListener, MetricsSection};
pub use oidc::OidcSection;
pub use problem::{ConfigError, Problem};
pub use server::ServerSection;
pub use ssl::{LetsEncryptSection, SslSection};
pub use stream::StreamSection;

/// The whole configuration, as the file has it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Config {
    /// The least important kind of line that is logged: `trace`, `debug`, `info` (default), `warn`, `error`;
    /// Gotify's `fatal` and `panic` mean `error`.
    pub loglevel: String,
    /// The HTTP server.
    pub server: ServerSection,
    /// Where users, applications and messages are kept.
    pub database: DatabaseSection,
    /// The administrator that the first start makes.
    pub defaultuser: DefaultUserSection,
    /// The cost of password hashes, bcrypt's: each step doubles the time. Default 10.
    pub passstrength: u32,
    /// The folder of the applications' pictures. Default `data/images`.
    pub uploadedimagesdir: String,
    /// The folder of Gotify's plugins. Default `data/plugins`.
    pub pluginsdir: String,
    /// Whether anybody may make a user. Default false.
    pub registration: bool,
    /// Logging in through an identity provider.
    pub oidc: OidcSection,
    /// Which Gotify the API behaves as where 2 and 3 differ: `v2` (default) or `v3`. (ours)
    pub compatibility: String,
    /// Numbers for Prometheus. (ours)
    pub metrics: MetricsSection,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            loglevel: "info".to_owned(),
            server: ServerSection::default(),
            database: DatabaseSection::default(),
            defaultuser: DefaultUserSection::default(),
            passstrength: 10,
            uploadedimagesdir: "data/images".to_owned(),
            pluginsdir: "data/plugins".to_owned(),
            registration: false,
            oidc: OidcSection::default(),
            compatibility: Compatibility::default().name().to_owned(),
            metrics: MetricsSection::default(),
        }
    }
}
