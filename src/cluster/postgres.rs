//! PostgreSQL's own notifications as the backplane, so that nodes need nothing but their database.
//!
//! A notification holds less than 8000 bytes, and all of them wait in one queue of the server. So none carries a message:
//! each says what is new, and nodes with streams of that user read it.
//!
//! Source: <https://www.postgresql.org/docs/current/sql-notify.html>.

use std::fmt;

use async_trait::async_trait;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use sqlx::{Connection as _, PgConnection};
use tokio::sync::{mpsc, oneshot};
use tokio_util::task::AbortOnDropHandle;

use super::{Backplane, BackplaneError, BackplaneLink, Channel, Inbox, Outgoing};
use crate::store::{OpenDatabaseError, postgres_options};

/// Nothing is announced that would be lost by a crash: it is in the database already. So no notification waits for the disk.
const PREPARE: &str = "SET synchronous_commit = off";

const NOTIFY: &str =
    "SELECT pg_notify(channel, payload) FROM unnest($1::text[], $2::text[]) AS said (channel, payload)";

/// PostgreSQL's notifications as the backplane.
pub struct PostgresBackplane {
    options: PgConnectOptions,
    prefix: String,
}

impl PostgresBackplane {
    /// Takes a connection in the forms that the database takes. The prefix begins the names of all channels. Connects to
    /// nothing yet.
    pub fn new(connection: &str, prefix: &str) -> Result<Self, OpenDatabaseError> {
        Ok(Self { options: postgres_options(connection)?, prefix: prefix.to_owned() })
    }
}

#[async_trait]
impl Backplane for PostgresBackplane {
    fn kind(&self) -> &'static str {
        "postgres"
    }

    /// Notifications carry no messages.
    fn max_message_bytes(&self) -> usize {
        0
    }

    async fn connect(&self, inbox: Inbox) -> Result<Box<dyn BackplaneLink>, BackplaneError> {
        let failed = |error| BackplaneError::new("connect to PostgreSQL", error);
        let pool = PgPoolOptions::new().max_connections(1).connect_lazy_with(self.options.clone());
        let mut listener = PgListener::connect_with(&pool).await.map_err(failed)?;
        // Otherwise `try_recv` connects again before it returns, and an order that comes meanwhile drops that call. So
        // nobody would learn that the connection was lost, and notifications with it.
        listener.eager_reconnect(false);
        let mut publisher = PgConnection::connect_with(&self.options).await.map_err(failed)?;
        sqlx::Executor::execute(&mut publisher, PREPARE).await.map_err(failed)?;
        let (orders, waiting) = mpsc::channel(1);
        let task = crate::task::spawn(hear(listener, waiting, inbox));
        Ok(Box::new(Link {
            publisher,
            orders,
            prefix: self.prefix.clone(),
            _listener: AbortOnDropHandle::new(task),
        }))
    }
}

/// Channels to listen to or not, and who waits until that is so.
struct Order {
    channels: Vec<String>,
    is_listening: bool,
    done: oneshot::Sender<Result<(), sqlx::Error>>,
}

/// Takes notifications and orders, until the connection is lost.
async fn hear(mut listener: PgListener, mut orders: mpsc::Receiver<Order>, inbox: Inbox) {
    loop {
        tokio::select! {
            Some(order) = orders.recv() => {
                let done = obey(&mut listener, &order).await;
                let is_lost = done.is_err();
                // Nobody waits if it took too long.
                let _ = order.done.send(done);
                if is_lost {
                    return inbox.lost("PostgreSQL does not take LISTEN");
                }
            }
            heard = listener.try_recv() => match heard {
                Ok(Some(notification)) => {
                    if let Ok(payload) = BASE64_STANDARD_NO_PAD.decode(notification.payload()) {
                        inbox.deliver(payload.into());
                    }
                }
                Ok(None) => return inbox.lost("PostgreSQL has closed the connection"),
                Err(error) => return inbox.lost(error),
            },
        }
    }
}

async fn obey(listener: &mut PgListener, order: &Order) -> Result<(), sqlx::Error> {
    if order.is_listening {
        return listener.listen_all(order.channels.iter().map(String::as_str)).await;
    }
    for channel in &order.channels {
        listener.unlisten(channel).await?;
    }
    Ok(())
}

struct Link {
    publisher: PgConnection,
    orders: mpsc::Sender<Order>,
    prefix: String,
    _listener: AbortOnDropHandle<()>,
}

impl Link {
    async fn order(&mut self, channels: &[Channel], is_listening: bool) -> Result<(), BackplaneError> {
        let channels = channels.iter().map(|channel| channel.name(&self.prefix, '_')).collect();
        let (done, when_done) = oneshot::channel();
        let operation = "listen to channels of PostgreSQL";
        let ended = || BackplaneError::new(operation, "the connection has ended");
        self.orders.send(Order { channels, is_listening, done }).await.map_err(|_| ended())?;
        let done = when_done.await.map_err(|_| ended())?;
        done.map_err(|error| BackplaneError::new(operation, error))
    }
}

#[async_trait]
impl BackplaneLink for Link {
    async fn publish(&mut self, messages: &[Outgoing]) -> Result<(), BackplaneError> {
        let channels: Vec<_> =
            messages.iter().map(|message| message.channel.name(&self.prefix, '_')).collect();
        let payloads: Vec<_> =
            messages.iter().map(|message| BASE64_STANDARD_NO_PAD.encode(&message.payload)).collect();
        let notify = sqlx::query(NOTIFY).bind(channels).bind(payloads);
        let notified = notify.execute(&mut self.publisher).await;
        notified.map(drop).map_err(|error| BackplaneError::new("notify PostgreSQL", error))
    }

    async fn subscribe(&mut self, channels: &[Channel]) -> Result<(), BackplaneError> {
        self.order(channels, true).await
    }

    async fn unsubscribe(&mut self, channels: &[Channel]) -> Result<(), BackplaneError> {
        self.order(channels, false).await
    }
}

impl fmt::Debug for PostgresBackplane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresBackplane").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
