//! Which servers a URL names, and how to connect to them.

use std::time::Duration;

use redis::cluster::ClusterClient;
use redis::sentinel::{SentinelClientBuilder, SentinelServerType};
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo as _,
    ProtocolVersion, PushInfo, RedisError,
};
use url::Url;

use super::Connections;

/// How long Redis may take to connect and to answer.
const PATIENCE: Duration = Duration::from_secs(3);

const PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26_379;

/// Why a URL names no Redis. Its text has no password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{reason}; it must be `redis://[user:password@]host[:6379][/database]`, \
     `redis+sentinel://[user:password@]host[:26379],host…/service`, or \
     `redis+cluster://[user:password@]host[:6379],host…`"
)]
pub struct InvalidRedisUrl {
    reason: String,
}

/// The servers that a URL names.
pub(super) enum Servers {
    One(ConnectionInfo),
    Sentinels { sentinels: Vec<ConnectionAddr>, service: String, login: Login },
    Cluster { nodes: Vec<ConnectionAddr>, login: Login },
}

/// How to log in.
#[derive(Clone, Default)]
pub(super) struct Login {
    user: Option<String>,
    password: Option<String>,
}

impl Servers {
    pub(super) fn parse(url: &str) -> Result<Self, InvalidRedisUrl> {
        let (scheme, rest) = url.split_once("://").ok_or_else(|| invalid("it is no URL"))?;
        // The client ignores what it does not know.
        let (_, settings) = rest.split_once('?').unwrap_or((rest, ""));
        let is_known = |setting: &str| {
            let name = setting.split('=').next().unwrap_or_default();
            // The protocol is always this one.
            setting == "protocol=resp3" || scheme == "unix" && ["db", "user", "pass"].contains(&name)
        };
        if !settings.split('&').all(|setting| setting.is_empty() || is_known(setting)) || rest.contains('#') {
            return Err(invalid(
                "it has settings after `?`, or something after `#`, which are not supported; in a password they are \
                 written `%3F` and `%23`",
            ));
        }
        match scheme {
            "redis" | "unix" => {
                let info = url.into_connection_info().map_err(|error| invalid(error.to_string()))?;
                let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
                Ok(Self::One(info.set_redis_settings(settings)))
            }
            "redis+sentinel" => {
                let (login, hosts, path) = parts(rest, SENTINEL_PORT)?;
                if path.is_empty() || path.contains('/') {
                    return Err(invalid("the name of the service is missing"));
                }
                Ok(Self::Sentinels { sentinels: hosts, service: path.to_owned(), login })
            }
            "redis+cluster" => {
                let (login, nodes, path) = parts(rest, PORT)?;
                if !path.is_empty() {
                    return Err(invalid("a cluster has no numbered databases"));
                }
                Ok(Self::Cluster { nodes, login })
            }
            "rediss" => Err(invalid("TLS to Redis is not supported")),
            _ => Err(invalid(format!("its scheme `{scheme}` is unknown"))),
        }
    }

    /// Connects twice: once to hear, and once to say.
    pub(super) async fn connect(
        &self,
        push: impl Fn(PushInfo) + Send + Sync + 'static,
    ) -> Result<Connections, RedisError> {
        let push = move |heard| {
            push(heard);
            Ok::<(), RedisError>(())
        };
        let client = match self {
            Self::One(info) => Client::open(info.clone())?,
            Self::Sentinels { sentinels, service, login } => master(sentinels, service, login).await?,
            Self::Cluster { nodes, login } => {
                let client = || {
                    let nodes: Vec<_> =
                        nodes.iter().map(|node| node.clone().into_connection_info()).collect();
                    let nodes = nodes.into_iter().collect::<Result<Vec<_>, _>>()?;
                    let mut builder = ClusterClient::builder(nodes)
                        .use_protocol(ProtocolVersion::RESP3)
                        .connection_timeout(PATIENCE)
                        .response_timeout(PATIENCE)
                        .retries(1);
                    if let Some(user) = &login.user {
                        builder = builder.username(user.clone());
                    }
                    if let Some(password) = &login.password {
                        builder = builder.password(password.clone());
                    }
                    Ok::<_, RedisError>(builder)
                };
                let listener = client()?.push_sender(push).build()?.get_async_connection().await?;
                let publisher = client()?.build()?.get_async_connection().await?;
                return Ok(Connections::Cluster { listener, publisher });
            }
        };
        let patient = || {
            AsyncConnectionConfig::new()
                .set_connection_timeout(Some(PATIENCE))
                .set_response_timeout(Some(PATIENCE))
        };
        let listener =
            client.get_multiplexed_async_connection_with_config(&patient().set_push_sender(push)).await?;
        let publisher = client.get_multiplexed_async_connection_with_config(&patient()).await?;
        Ok(Connections::One { listener, publisher })
    }
}

/// Asks the Sentinels for the server that takes writes now.
async fn master(sentinels: &[ConnectionAddr], service: &str, login: &Login) -> Result<Client, RedisError> {
    let mut builder = SentinelClientBuilder::new(sentinels.to_vec(), service, SentinelServerType::Master)?
        .set_client_to_redis_protocol(ProtocolVersion::RESP3);
    if let Some(user) = &login.user {
        builder = builder.set_client_to_redis_username(user);
    }
    if let Some(password) = &login.password {
        builder = builder.set_client_to_redis_password(password);
    }
    tokio::time::timeout(PATIENCE, builder.build()?.async_get_client())
        .await
        .unwrap_or_else(|_| Err((ErrorKind::Io, "no Sentinel answers").into()))
}

/// Takes apart what follows `://`: how to log in, the hosts, and the path.
fn parts(rest: &str, port: u16) -> Result<(Login, Vec<ConnectionAddr>, &str), InvalidRedisUrl> {
    let (before, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (login, hosts) = before.rsplit_once('@').unwrap_or(("", before));
    let hosts = hosts.split(',').map(|host| address(host, port)).collect::<Result<_, _>>()?;
    // The parser of URLs knows how names and passwords are written.
    let login = Url::parse(&format!("redis://{login}@host"))
        .map_err(|_| invalid("its user or password is malformed"))?;
    let decoded = |text: &str| {
        let text = percent_encoding::percent_decode_str(text).decode_utf8();
        text.ok().filter(|text| !text.is_empty()).map(std::borrow::Cow::into_owned)
    };
    let login = Login { user: decoded(login.username()), password: login.password().and_then(decoded) };
    Ok((login, hosts, path))
}

fn address(host: &str, port: u16) -> Result<ConnectionAddr, InvalidRedisUrl> {
    let url = Url::parse(&format!("redis://{host}")).ok();
    let named = url.as_ref().and_then(|url| Some((url.host_str()?, url.port().unwrap_or(port))));
    let (host, port) = named.ok_or_else(|| invalid("one of its hosts is malformed"))?;
    Ok(ConnectionAddr::Tcp(host.trim_matches(['[', ']']).to_owned(), port))
}

fn invalid(reason: impl Into<String>) -> InvalidRedisUrl {
    InvalidRedisUrl { reason: reason.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_named_in_three_ways() {
        let Servers::One(one) = Servers::parse("redis://:secret@localhost/2").unwrap() else { panic!() };
        assert_eq!(one.redis_settings().db(), 2);
        let url = "redis+sentinel://user:p%40ss@a,b:7000,[::1]/main";
        let Servers::Sentinels { sentinels, service, login } = Servers::parse(url).unwrap() else { panic!() };
        let tcp = |host: &str, port| ConnectionAddr::Tcp(host.to_owned(), port);
        assert_eq!(sentinels, [tcp("a", 26_379), tcp("b", 7000), tcp("::1", 26_379)]);
        assert_eq!(
            (&*service, login.user.as_deref(), login.password.as_deref()),
            ("main", Some("user"), Some("p@ss"))
        );
        let Servers::Cluster { nodes, login } = Servers::parse("redis+cluster://a,b").unwrap() else {
            panic!()
        };
        assert_eq!((nodes.len(), login.user, login.password), (2, None, None));
    }

    #[test]
    fn what_names_no_redis_is_refused_without_its_password() {
        for url in [
            "localhost",
            "http://hunter2@localhost",
            "rediss://:hunter2@localhost",
            "redis+sentinel://:hunter2@a",
            "redis+cluster://:hunter2@a/1",
            "redis+cluster://:hunter2@a:port",
            "redis://:hunter2@localhost/x",
            "redis://:hunter2@localhost?foo=bar",
            "redis://:hunter2@localhost/1?protocol=resp2",
            "redis://localhost#hunter2",
            "redis+sentinel://a/main?foo=hunter2",
            "redis+cluster://a?foo=hunter2",
            "unix:///run/redis.sock?foo=hunter2",
        ] {
            let Err(refused) = Servers::parse(url) else { panic!("{url}") };
            let text = refused.to_string();
            assert!(text.contains("it must be") && !text.contains("hunter2"), "{text}");
        }
    }
}
