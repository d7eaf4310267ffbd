//! The backplane that the configuration names.

use std::sync::Arc;

use secrecy::ExposeSecret as _;

use super::load::Loaded;
use crate::cluster::Backplane;

/// Makes the backplane, which connects to nothing yet. An error says what is wrong with its URL, without its password.
pub(super) fn of(loaded: &Loaded) -> Result<Option<Arc<dyn Backplane>>, String> {
    let section = &loaded.config.cluster;
    let (url, prefix) = (section.url.expose_secret(), section.prefix.as_str());
    let made: Arc<dyn Backplane> = match section.backplane.as_str() {
        #[cfg(feature = "redis")]
        "redis" => {
            Arc::new(crate::cluster::RedisBackplane::new(url, prefix).map_err(|error| error.to_string())?)
        }
        #[cfg(feature = "nats")]
        "nats" => {
            Arc::new(crate::cluster::NatsBackplane::new(url, prefix).map_err(|error| error.to_string())?)
        }
        #[cfg(feature = "postgres")]
        "postgres" => {
            let url = if url.is_empty() { loaded.config.database.connection.expose() } else { url };
            let made = crate::cluster::PostgresBackplane::new(url, prefix);
            Arc::new(made.map_err(|error| crate::causes::with_sources(&error))?)
        }
        _ => return Ok(None),
    };
    Ok(Some(made))
}
