//! The configuration, from files and from the environment.
//!
//! The names of the keys are Gotify's. There are four layers. A later layer overrides an earlier one:
//!
//! 1. the defaults, declared with the keys in this module;
//! 2. Gotify 2's file, `config.yml`;
//! 3. Gotify 3's file of variables, `gotify-server.env`;
//! 4. the `GOTIFY_*` variables of the environment.
//!
//! [`Files`] says where the files are searched for. [`load()`] checks every value, and reports all problems at once. Each
//! problem names its place, its key, and what would be right.
//!
//! Each key is declared once, in its `section!`. `declare.rs` documents what follows from a declaration.
//! These types mirror the file. The types that the library works with are in [`crate::server`]. [`Loaded::server`],
//! [`Loaded::stream`] and [`Loaded::metrics`] convert the former into the latter.

#[cfg(any(feature = "nats", feature = "postgres", feature = "redis"))]
mod backplane;
#[cfg(not(any(feature = "nats", feature = "postgres", feature = "redis")))]
#[path = "config/no_backplane.rs"]
mod backplane;
mod cluster;
#[cfg(feature = "sqlite")]
mod connection;
mod convert;
mod cors;
mod csv;
mod database;
mod declare;
mod default_user;
mod drain;
mod environment;
mod environment_file;
mod features;
mod file;
mod files;
mod https;
mod listen_address;
mod listeners;
mod load;
mod log_format;
mod login_limit;
mod metrics;
mod network;
mod oidc;
mod problem;
mod push;
mod secret;
mod sender_limit;
mod server;
mod shape;
mod ssl;
mod stream;
mod suggest;
mod template;
mod unsupported;
mod yaml;

use declare::section;
use shape::Shape::{Integer, NonEmpty, OneOf};

pub use cluster::ClusterSection;
pub use cors::CorsSection;
pub use database::{Connection, DatabaseSection};
pub use default_user::DefaultUserSection;
pub use drain::DrainSection;
#[cfg(feature = "sqlite")]
pub(crate) use features::not_built;
pub use files::Files;
pub use load::{Loaded, load};
pub use log_format::LogFormat;
pub use login_limit::LoginLimitSection;
pub use metrics::{MetricsListener, MetricsSection};
pub use oidc::OidcSection;
#[cfg(any(feature = "postgres", feature = "push", feature = "sqlite"))]
pub(crate) use problem::on_one_line;
pub use problem::{ConfigError, Problem};
pub use push::PushSection;
pub use sender_limit::SenderLimitSection;
pub use server::ServerSection;
pub use ssl::{LetsEncryptSection, SslSection};
pub use stream::StreamSection;
pub use template::default_file;

section! {
    /// The whole configuration, as the file has it.
    pub struct Config at "" {
        /// The lowest level that is logged. Gotify's `fatal` and `panic` mean `error`.
        loglevel: String = "info", OneOf(&["trace", "debug", "info", "warn", "error", "fatal", "panic"]);
        /// The form of the log: `text` for people, or `json` for one JSON object per line.
        logformat: String = "text", OneOf(LogFormat::NAMES);
        /// The cost of password hashes (bcrypt). Each step doubles the time that a login takes.
        passstrength: u32 = 10, Integer(4..=31);
        /// The folder of the applications' pictures. It is created with the first picture.
        uploadedimagesdir: String = "data/images", NonEmpty;
        /// Where the applications' pictures are kept: in the folder `uploadedimagesdir`, or in the database, where several
        /// nodes need no shared folder. A start with `database` saves the pictures of the folder in the database, and leaves
        /// the files.
        uploadedimages: String = "folder", OneOf(&["folder", "database"]);
        /// The folder of plugins. Gotify's plugins are not supported.
        pluginsdir: String = "data/plugins";
        /// Whether everybody may create a user, though no administrator.
        registration: bool = false;
        /// Which Gotify the API behaves as where Gotify 2 and 3 differ.
        compatibility: String = "v2", OneOf(&["v2", "v3"]);
        section server: ServerSection;
        section database: DatabaseSection;
        section defaultuser: DefaultUserSection;
        section oidc: OidcSection;
        section push: PushSection;
        section metrics: MetricsSection;
        section cluster: ClusterSection;
    }
}
