//! From what the file says to what the server takes.

use std::collections::BTreeMap;
#[cfg(any(feature = "nats", feature = "postgres", feature = "redis"))]
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};

#[cfg(any(feature = "nats", feature = "postgres", feature = "redis"))]
use super::backplane;
use super::{Config, CorsSection, Loaded, LogFormat, MetricsListener, SslSection, network};
use crate::api::{ApiSettings, CorsConfig, ImageLimits, SenderLimits};
use crate::auth::LoginLimits;
#[cfg(any(feature = "nats", feature = "postgres", feature = "redis"))]
use crate::cluster::Backplane;
use crate::model::Compatibility;
use crate::server::{
    AcmeConfig, CertificateFiles, Certificates, DrainConfig, NodeConfig, ServerConfig, StreamConfig,
    TlsConfig,
};
use crate::store::ImageStorage;
#[cfg(feature = "sqlite")]
use crate::store::{DatabaseConfig, Dialect};

/// The port where 80 is not allowed to this user, and none was asked for.
const UNPRIVILEGED_PORT: u16 = 8080;

/// The keep-alive period that Gotify's runtime has by default.
const DEFAULT_KEEPALIVE: Duration = Duration::from_secs(15);

/// How much longer than a ping period a client has to answer, as in Gotify.
const PONG_GRACE: Duration = Duration::from_secs(15);

impl Loaded {
    /// Returns how to listen and serve.
    pub fn server(&self) -> ServerConfig {
        let section = &self.config.server;
        ServerConfig {
            listen_address: section.listenaddr.clone(),
            port: section.port,
            fallback_port: self.source("server.port").is_none().then_some(UNPRIVILEGED_PORT),
            keepalive: match section.keepaliveperiodseconds {
                0 => Some(DEFAULT_KEEPALIVE),
                seconds => u64::try_from(seconds).ok().map(Duration::from_secs),
            },
            header_timeout: Duration::from_secs(section.headertimeoutseconds),
            transfer_timeout: Duration::from_secs(section.transfertimeoutseconds),
            idle_timeout: Duration::from_secs(section.idletimeoutseconds),
            max_body_bytes: section.maxbodybytes,
            max_connections: (section.maxconnections > 0).then_some(section.maxconnections),
            shutdown_grace: Duration::from_secs(section.shutdowngraceseconds),
            trusted_proxies: section.trustedproxies.iter().filter_map(|text| network::parse(text)).collect(),
            access_log: section.accesslog,
            tls: section.ssl.enabled.then(|| tls(&section.ssl)),
            stream_path: None,
        }
    }

    /// Returns how streams are kept.
    pub fn stream(&self) -> StreamConfig {
        let section = &self.config.server.stream;
        let ping_period = Duration::from_secs(section.pingperiodseconds);
        StreamConfig {
            ping_period,
            pong_timeout: ping_period + PONG_GRACE,
            stall_timeout: Duration::from_secs(section.stalltimeoutseconds),
            allowed_origins: section.allowedorigins.clone(),
            shard_count: section.shardcount,
            read_buffer_bytes: section.readbuffersize,
            write_buffer_bytes: section.writebuffersize,
            ring_messages: section.channelbuffersize,
            max_lag: section.maxlag,
            max_resume_messages: self.config.cluster.resume.maxmessages,
            replay: section.replay,
        }
    }

    /// Returns how the node takes leave of its streams.
    pub fn drain(&self) -> DrainConfig {
        let section = &self.config.server.drain;
        DrainConfig {
            wait: Duration::from_secs(section.waitseconds),
            window: (section.windowseconds > 0).then(|| Duration::from_secs(section.windowseconds)),
        }
    }

    /// Returns which database to open.
    #[cfg(feature = "sqlite")]
    pub fn database(&self) -> DatabaseConfig {
        // What is not built in was refused when it was loaded.
        let dialect = match self.config.database.dialect.as_str() {
            #[cfg(feature = "postgres")]
            "postgres" => Dialect::Postgres,
            #[cfg(feature = "mysql")]
            "mysql" => Dialect::Mysql,
            _ => Dialect::Sqlite,
        };
        DatabaseConfig::new(dialect, self.config.database.connection.expose())
    }

    /// Returns what the node is made of.
    pub fn node(&self) -> NodeConfig {
        let Config { server, defaultuser, passstrength, uploadedimagesdir, registration, .. } = &self.config;
        NodeConfig {
            name: self.node_name(),
            stream: self.stream(),
            api: ApiSettings {
                max_body_bytes: server.maxbodybytes,
                compatibility: self.compatibility(),
                secure_cookie: server.securecookie,
                image_limits: ImageLimits {
                    max_bytes: server.maximagebytes,
                    max_pixels: server.maximagepixels,
                },
                sender_limits: SenderLimits {
                    messages_per_application: server.senderlimit.applicationmessages,
                    messages_per_user: server.senderlimit.usermessages,
                    stored_bytes_per_application: server.senderlimit.applicationbytes,
                    stored_bytes_per_user: server.senderlimit.userbytes,
                },
                registration: *registration,
                ..ApiSettings::default()
            },
            images: self.image_storage(),
            images_folder: uploadedimagesdir.into(),
            cors: cors(&server.cors),
            response_headers: response_headers(&server.responseheaders),
            #[cfg(feature = "push")]
            push: self.config.push.config(),
            password_cost: *passstrength,
            login_limits: LoginLimits {
                failures_per_address: server.loginlimit.failures,
                failures_per_name: server.loginlimit.namefailures,
                window: Duration::from_secs(server.loginlimit.windowseconds),
            },
            first_user: defaultuser.name.clone(),
            first_password: defaultuser.pass.clone(),
        }
    }

    /// Returns the name of this node; empty if it has none.
    fn node_name(&self) -> String {
        let section = &self.config.cluster;
        if section.node.is_empty() && section.backplane != "none" {
            let name = rustix::system::uname();
            let is_shown = |character: &char| character.is_ascii_graphic();
            return name.nodename().to_string_lossy().chars().filter(is_shown).take(64).collect();
        }
        section.node.clone()
    }

    /// Returns where the applications' pictures are kept.
    pub fn image_storage(&self) -> ImageStorage {
        match self.config.uploadedimages.as_str() {
            "database" => ImageStorage::Database,
            _ => ImageStorage::Folder,
        }
    }

    /// Returns what carries messages between nodes, if there are several.
    #[cfg(any(feature = "nats", feature = "postgres", feature = "redis"))]
    pub fn backplane(&self) -> Option<Arc<dyn Backplane>> {
        // What can't be used was refused when it was loaded.
        backplane::of(self).ok().flatten()
    }

    /// Returns which Gotify the API behaves as.
    pub(crate) fn compatibility(&self) -> Compatibility {
        let named = |profile: &Compatibility| profile.name() == self.config.compatibility;
        Compatibility::ALL.into_iter().find(named).unwrap_or_default()
    }

    /// Returns where metrics are read, if they are.
    pub fn metrics(&self) -> Option<MetricsListener> {
        let section = &self.config.metrics;
        // A value that is no listener was refused when it was loaded.
        section.enabled.then(|| MetricsListener::parse(&section.listenaddr)).flatten()
    }

    /// Returns how the log is written.
    pub fn log_format(&self) -> LogFormat {
        LogFormat::named(&self.config.logformat)
    }

    /// Returns the least important level that is logged.
    pub fn log_level(&self) -> tracing::Level {
        match self.config.loglevel.as_str() {
            "trace" => tracing::Level::TRACE,
            "debug" => tracing::Level::DEBUG,
            "warn" => tracing::Level::WARN,
            "error" | "fatal" | "panic" => tracing::Level::ERROR,
            _ => tracing::Level::INFO,
        }
    }
}

fn tls(section: &SslSection) -> TlsConfig {
    let authority = &section.letsencrypt;
    let certificates = if authority.enabled {
        let mut acme = AcmeConfig::new(authority.hosts.clone(), &authority.cache);
        acme.directory_url = Some(authority.directoryurl.clone()).filter(|url| !url.is_empty());
        Certificates::Acme(acme)
    } else {
        Certificates::Files(CertificateFiles::new(&section.certfile, &section.certkey))
    };
    let mut tls = TlsConfig::new(certificates);
    tls.listen_address.clone_from(&section.listenaddr);
    tls.port = section.port;
    tls.redirect = section.redirecttohttps;
    tls
}

// What the schema has checked: there is nothing to leave out.

fn cors(section: &CorsSection) -> CorsConfig {
    let mut cors = CorsConfig::default();
    cors.allow_origins.clone_from(&section.alloworigins);
    cors.allow_methods =
        section.allowmethods.iter().filter_map(|name| Method::try_from(name.trim()).ok()).collect();
    cors.allow_headers =
        section.allowheaders.iter().filter_map(|name| HeaderName::try_from(name.trim()).ok()).collect();
    cors
}

/// An empty value sets nothing, as in Gotify.
fn response_headers(section: &BTreeMap<String, String>) -> HeaderMap {
    let set = section.iter().filter(|(_, value)| !value.is_empty());
    set.filter_map(|(name, value)| {
        Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Files, load};

    fn with(variables: &[(&str, &str)]) -> Loaded {
        let variables = variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
        load(&Files::Search { yaml: Vec::new(), variables: Vec::new() }, variables).unwrap()
    }

    #[test]
    fn defaults_of_the_file_are_the_defaults_of_the_library() {
        let expected = ServerConfig { port: 80, fallback_port: Some(8080), ..ServerConfig::default() };
        assert_eq!(with(&[]).server(), expected);
        assert_eq!(with(&[]).stream(), StreamConfig::default());
        assert_eq!(with(&[]).drain(), DrainConfig::default());
        assert_eq!(with(&[]).node().login_limits, LoginLimits::default());
        assert_eq!(with(&[]).node().api.sender_limits, SenderLimits::default());
    }

    #[test]
    fn the_drain_is_that_of_the_file() {
        let drain =
            with(&[("GOTIFY_SERVER_DRAIN_WAITSECONDS", "5"), ("GOTIFY_SERVER_DRAIN_WINDOWSECONDS", "30")])
                .drain();
        assert_eq!((drain.wait, drain.window), (Duration::from_secs(5), Some(Duration::from_secs(30))));
    }

    #[test]
    fn limits_of_senders_are_those_of_the_file() {
        let limits = with(&[
            ("GOTIFY_SERVER_SENDERLIMIT_APPLICATIONMESSAGES", "1"),
            ("GOTIFY_SERVER_SENDERLIMIT_USERMESSAGES", "2"),
            ("GOTIFY_SERVER_SENDERLIMIT_APPLICATIONBYTES", "3"),
            ("GOTIFY_SERVER_SENDERLIMIT_USERBYTES", "4"),
        ]);
        let expected = SenderLimits::default()
            .with_messages_per_application(1)
            .with_messages_per_user(2)
            .with_stored_bytes_per_application(3)
            .with_stored_bytes_per_user(4);
        assert_eq!(limits.node().api.sender_limits, expected);
    }

    #[test]
    fn the_profile_is_named() {
        let profile = |variables: &[_]| with(variables).node().api.compatibility;
        assert_eq!(profile(&[]), Compatibility::default());
        assert_eq!(profile(&[("GOTIFY_COMPATIBILITY", "v2")]), Compatibility::V2);
        assert_eq!(profile(&[("GOTIFY_COMPATIBILITY", "v3")]), Compatibility::V3);
    }

    #[test]
    fn only_an_unset_port_has_a_fallback() {
        let server = with(&[("GOTIFY_SERVER_PORT", "80")]).server();
        assert_eq!((server.port, server.fallback_port), (80, None));
    }

    #[test]
    fn who_may_come_from_elsewhere_is_taken_over() {
        let node = with(&[
            ("GOTIFY_SERVER_CORS_ALLOWORIGINS", r".+\.example\.com,https://a"),
            ("GOTIFY_SERVER_CORS_ALLOWMETHODS", "[GET, POST]"),
            ("GOTIFY_SERVER_CORS_ALLOWHEADERS", "X-Gotify-Key"),
            ("GOTIFY_SERVER_RESPONSEHEADERS", r#"{"X-Frame-Options": "DENY", "X-None": ""}"#),
        ])
        .node();
        assert_eq!(node.cors.allow_origins, [r".+\.example\.com", "https://a"]);
        assert_eq!(node.cors.allow_methods, [Method::GET, Method::POST]);
        assert_eq!(node.cors.allow_headers, ["x-gotify-key"]);
        assert_eq!(node.response_headers.len(), 1);
        assert_eq!(node.response_headers["x-frame-options"], "DENY");
    }

    #[test]
    fn trusted_proxies_are_networks() {
        let server = with(&[("GOTIFY_SERVER_TRUSTEDPROXIES", "127.0.0.1,10.0.0.0/8")]).server();
        let proxies: Vec<String> = server.trusted_proxies.iter().map(ToString::to_string).collect();
        assert_eq!(proxies, ["127.0.0.1/32", "10.0.0.0/8"]);
    }

    #[test]
    fn minus_one_turns_keep_alive_off() {
        let keepalive = |value| with(&[("GOTIFY_SERVER_KEEPALIVEPERIODSECONDS", value)]).server().keepalive;
        assert_eq!(keepalive("-1"), None);
        assert_eq!(keepalive("0"), Some(Duration::from_secs(15)));
        assert_eq!(keepalive("7"), Some(Duration::from_secs(7)));
    }

    #[test]
    fn metrics_are_off_until_they_are_asked_for_and_then_on_loopback() {
        assert_eq!(with(&[]).metrics(), None);
        let own = MetricsListener::Own { host: "127.0.0.1".to_owned(), port: 9090 };
        assert_eq!(with(&[("GOTIFY_METRICS_ENABLED", "true")]).metrics(), Some(own));
        let main = [("GOTIFY_METRICS_ENABLED", "true"), ("GOTIFY_METRICS_LISTENADDR", "main")];
        assert_eq!(with(&main).metrics(), Some(MetricsListener::Main));
    }

    #[test]
    fn the_pong_deadline_follows_the_ping_period() {
        let stream = with(&[("GOTIFY_SERVER_STREAM_PINGPERIODSECONDS", "5")]).stream();
        assert_eq!(stream.pong_timeout, Duration::from_secs(20));
    }
}
