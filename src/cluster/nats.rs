//! NATS as the backplane.
//!
//! The client is used for one connection alone: what it does by itself when the server is away takes no part in when
//! messages come, because the node drops it and makes another.
//!
//! Source: <https://docs.nats.io/reference/reference-protocols/nats-protocol>.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use async_nats::{Client, ConnectOptions, Event, ServerAddr, Subject, Subscriber};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt as _;
use tokio_util::task::AbortOnDropHandle;

use super::{Backplane, BackplaneError, BackplaneLink, Channel, Inbox, Outgoing};

/// A NATS server takes 1 MiB at most. It copies a message for each of its listeners, so that larger ones are read from the
/// database.
const MAX_MESSAGE_BYTES: usize = 64 << 10;

/// How long NATS may take to connect.
const PATIENCE: Duration = Duration::from_secs(3);

/// NATS as the backplane.
pub struct NatsBackplane {
    servers: Vec<ServerAddr>,
    prefix: String,
}

/// Why a URL names no NATS. Its text has no password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "it must be `nats://[user:password@]host[:4222]`, or several of them with commas between them; a path, settings after \
     `?` and what follows a `#` are not supported"
)]
pub struct InvalidNatsUrl;

impl NatsBackplane {
    /// Takes a URL, or several with commas between them. The prefix begins the names of all subjects. Connects to
    /// nothing yet.
    pub fn new(url: &str, prefix: &str) -> Result<Self, InvalidNatsUrl> {
        let server = |url: &str| {
            let is_nats = ["nats://", "tls://"].iter().any(|scheme| url.starts_with(scheme));
            let address: ServerAddr = url.parse().map_err(|_| InvalidNatsUrl)?;
            // The client ignores these.
            let read = address.clone().into_inner();
            let has_more =
                read.query().is_some() || read.fragment().is_some() || !matches!(read.path(), "" | "/");
            if is_nats && !has_more { Ok(address) } else { Err(InvalidNatsUrl) }
        };
        let servers = url.split(',').map(|url| server(url.trim())).collect::<Result<_, _>>()?;
        Ok(Self { servers, prefix: prefix.to_owned() })
    }
}

#[async_trait]
impl Backplane for NatsBackplane {
    fn kind(&self) -> &'static str {
        "nats"
    }

    fn max_message_bytes(&self) -> usize {
        MAX_MESSAGE_BYTES
    }

    async fn connect(&self, inbox: Inbox) -> Result<Box<dyn BackplaneLink>, BackplaneError> {
        let events = inbox.clone();
        let client = ConnectOptions::new()
            .name("shardcast")
            .connection_timeout(PATIENCE)
            .max_reconnects(1)
            .event_callback(move |event| {
                take(&events, &event);
                std::future::ready(())
            })
            .connect(&self.servers[..])
            .await
            .map_err(|error| BackplaneError::new("connect to NATS", error))?;
        let echo = Subject::from(client.new_inbox());
        let echoes = client.subscribe(echo.clone()).await;
        let echoes = echoes.map_err(|error| BackplaneError::new("subscribe to a subject of NATS", error))?;
        Ok(Box::new(Link { client, echo, echoes, inbox, prefix: self.prefix.clone(), heard: HashMap::new() }))
    }
}

fn take(inbox: &Inbox, event: &Event) {
    match event {
        // A message was dropped, because too many waited.
        Event::SlowConsumer(_) => inbox.missed(),
        Event::Disconnected | Event::Closed | Event::LameDuckMode | Event::Draining => {
            inbox.lost(format!("NATS: {event}"));
        }
        // Where the connection stays, the server has refused or ended a subscription, for example because another
        // configuration allows it no more. The others are heard as before, so nothing else would be noticed.
        Event::ServerError(error) => inbox.lost(error),
        Event::Connected | Event::ClientError(_) => {}
    }
}

struct Link {
    client: Client,
    /// A subject of this connection alone: what is sent to it comes back once the server has done all before it.
    echo: Subject,
    echoes: Subscriber,
    inbox: Inbox,
    prefix: String,
    /// The tasks that take what comes on each channel.
    heard: HashMap<Channel, AbortOnDropHandle<()>>,
}

impl Link {
    /// Waits until the server has done all that it was told.
    async fn settle(&mut self) -> Result<(), BackplaneError> {
        let failed = |error: &(dyn fmt::Display + Send + Sync)| {
            BackplaneError::new("wait for NATS", error.to_string())
        };
        self.client.publish(self.echo.clone(), Bytes::new()).await.map_err(|error| failed(&error))?;
        self.client.flush().await.map_err(|error| failed(&error))?;
        match self.echoes.next().await {
            Some(_) => Ok(()),
            None => Err(failed(&"the connection has ended")),
        }
    }
}

#[async_trait]
impl BackplaneLink for Link {
    async fn publish(&mut self, messages: &[Outgoing]) -> Result<(), BackplaneError> {
        for Outgoing { channel, payload } in messages {
            let published = self.client.publish(channel.name(&self.prefix, '.'), payload.clone()).await;
            published.map_err(|error| BackplaneError::new("publish to NATS", error))?;
        }
        self.client.flush().await.map_err(|error| BackplaneError::new("publish to NATS", error))
    }

    async fn subscribe(&mut self, channels: &[Channel]) -> Result<(), BackplaneError> {
        for &channel in channels {
            let subscribed = self.client.subscribe(channel.name(&self.prefix, '.')).await;
            let mut messages =
                subscribed.map_err(|error| BackplaneError::new("subscribe to a subject of NATS", error))?;
            let inbox = self.inbox.clone();
            let task = crate::task::spawn(async move {
                while let Some(message) = messages.next().await {
                    inbox.deliver(message.payload);
                }
                // The link ends this task where it leaves the channel.
                inbox.lost("NATS has ended a subscription");
            });
            self.heard.insert(channel, AbortOnDropHandle::new(task));
        }
        self.settle().await
    }

    async fn unsubscribe(&mut self, channels: &[Channel]) -> Result<(), BackplaneError> {
        // A subscription ends when it is dropped.
        self.heard.retain(|channel, _| !channels.contains(channel));
        Ok(())
    }
}

impl fmt::Debug for NatsBackplane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NatsBackplane").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("channels", &self.heard.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use async_nats::ServerError;
    use futures_util::FutureExt as _;

    use super::*;

    fn backplane(prefix: &str) -> NatsBackplane {
        let url =
            std::env::var("SHARDCAST_TEST_NATS").expect("`.ci/servers.py` starts a server and sets this");
        NatsBackplane::new(&url, prefix).unwrap()
    }

    mod conforms {
        use super::backplane;
        use crate::cluster::conformance;

        conformance::suite!(backplane, #[cfg_attr(not(test_nats), ignore = "`.ci/servers.py` starts a server")]);
    }

    #[test]
    fn an_error_that_the_server_reports_is_a_lost_connection() {
        let inbox = Inbox::new();
        take(&inbox, &Event::Connected);
        assert!(inbox.until_lost().now_or_never().is_none());
        let refused = "Permissions Violation for Subscription to \"shardcast.256.1\"";
        take(&inbox, &Event::ServerError(ServerError::Other(refused.to_owned())));
        assert_eq!(inbox.until_lost().now_or_never().unwrap(), format!("nats: {refused}"));
    }

    #[test]
    fn one_server_or_several_are_named() {
        for (url, servers) in [
            ("nats://localhost", Some(1)),
            ("nats://user:hunter2@a:4222, tls://b", Some(2)),
            ("localhost", None),
            ("redis://localhost", None),
            ("nats://a,", None),
            ("nats://a/", Some(1)),
            ("nats://a?tls=true", None),
            ("nats://a/path", None),
            ("nats://a#b", None),
            ("", None),
        ] {
            assert_eq!(NatsBackplane::new(url, "x").ok().map(|nats| nats.servers.len()), servers, "{url}");
        }
    }
}
