//! Requests to Gotify's API.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{CONTENT_TYPE, HOST, USER_AGENT};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use super::connection::connect;
use super::{Account, RequestError};
use crate::model::{Message, MessageId};

/// How long a server may take for an answer, the request included.
const PATIENCE: Duration = Duration::from_mins(1);

/// The largest answer that is read.
const MAX_ANSWER_BYTES: usize = 256 << 20;

/// How many messages are asked for at once.
pub(super) const PAGE_MESSAGES: usize = 100;

/// The header with the token.
pub(super) const KEY: &str = "x-gotify-key";

/// What the server sees as the program that asks.
pub(super) const AGENT: &str = concat!("shardcast/", env!("CARGO_PKG_VERSION"));

/// Makes one request after the other, on one connection as long as the server keeps it open.
pub(super) struct Api {
    account: Account,
    connection: Option<Connection>,
}

struct Connection {
    requests: SendRequest<Full<Bytes>>,
    /// Moves the bytes until the connection is dropped.
    _driver: AbortOnDropHandle<()>,
}

/// Some stored messages, newest first; those that were asked for by [`Api::messages_after`] oldest first, from a server
/// that knows how to list them.
#[derive(Deserialize)]
pub(super) struct Page {
    pub(super) messages: Vec<Message>,
    paging: Paging,
}

#[derive(Deserialize)]
struct Paging {
    #[serde(default)]
    next: Option<String>,
    #[serde(default)]
    after: Option<u64>,
}

impl Page {
    /// Whether it begins after the message that was asked for. Gotify's do not.
    pub(super) fn is_oldest_first(&self) -> bool {
        self.paging.after.is_some()
    }

    /// Returns the id of the last message of a page that is oldest first, if more follow.
    pub(super) fn last_before_more(&self) -> Option<u64> {
        self.paging.after.filter(|_| self.has_more())
    }

    /// Whether there are more messages: older ones, or newer ones if it is oldest first.
    pub(super) fn has_more(&self) -> bool {
        self.paging.next.as_deref().is_some_and(|next| !next.is_empty())
    }
}

impl Api {
    pub(super) fn new(account: Account) -> Self {
        Self { account, connection: None }
    }

    pub(super) fn account(&self) -> &Account {
        &self.account
    }

    /// Sends a message, a JSON object, and returns it as it is stored.
    pub(super) async fn publish(&mut self, message: Vec<u8>) -> Result<Message, RequestError> {
        self.ask(Method::POST, "/message", message).await
    }

    /// Returns the id of the newest message; 0 if there is none.
    pub(super) async fn newest_message(&mut self) -> Result<MessageId, RequestError> {
        let page: Page = self.ask(Method::GET, "/message?limit=1", Vec::new()).await?;
        Ok(page.messages.first().map_or(MessageId(0), |message| message.id))
    }

    /// Returns the newest messages, or with `below` those with smaller ids, up to [`PAGE_MESSAGES`].
    pub(super) async fn messages(&mut self, below: Option<u64>) -> Result<Page, RequestError> {
        let since = below.map(|id| format!("&since={id}")).unwrap_or_default();
        self.ask(Method::GET, &format!("/message?limit={PAGE_MESSAGES}{since}"), Vec::new()).await
    }

    /// Returns the oldest messages with greater ids, up to [`PAGE_MESSAGES`]. From Gotify, which ignores what it is asked
    /// for, the newest messages come instead.
    pub(super) async fn messages_after(&mut self, id: u64) -> Result<Page, RequestError> {
        self.ask(Method::GET, &format!("/message?limit={PAGE_MESSAGES}&after={id}"), Vec::new()).await
    }

    async fn ask<T: DeserializeOwned>(
        &mut self,
        method: Method,
        path: &str,
        body: Vec<u8>,
    ) -> Result<T, RequestError> {
        // A connection on which a request was given up is dropped with the future.
        let asked = timeout(PATIENCE, self.exchange(method, path, body)).await;
        let server = || self.account.url.to_string();
        let late = |_| RequestError::TimedOut { server: server(), patience: PATIENCE };
        let answer = asked.map_err(late)??;
        let (head, body) = answer.into_parts();
        if !head.status.is_success() {
            return Err(RequestError::refused(&self.account.url, head.status, &head.headers, &body));
        }
        serde_json::from_slice(&body).map_err(|source| RequestError::NotGotify { server: server(), source })
    }

    async fn exchange(
        &mut self,
        method: Method,
        path: &str,
        body: Vec<u8>,
    ) -> Result<Response<Bytes>, RequestError> {
        let url = &self.account.url;
        let lost = |source| RequestError::Exchange { server: url.to_string(), source };
        let mut connection = match self.connection.take() {
            Some(connection) if connection.requests.is_ready() => connection,
            _ => Connection::open(&self.account).await?,
        };
        let mut request = Request::new(Full::from(body));
        *request.method_mut() = method;
        *request.uri_mut() = url.path(path).parse().expect("a path of a URL and a query of numbers");
        let headers = request.headers_mut();
        headers.insert(HOST, url.authority.parse().expect("it was part of a URL"));
        headers.insert(USER_AGENT, AGENT.parse().expect("a name and a number"));
        headers.insert(CONTENT_TYPE, "application/json".parse().expect("a constant"));
        headers.insert(KEY, self.account.token.clone());
        let answer = connection.requests.send_request(request).await.map_err(lost)?;
        let answer = self.read(answer).await?;
        self.connection = Some(connection);
        Ok(answer)
    }

    async fn read(&self, answer: Response<Incoming>) -> Result<Response<Bytes>, RequestError> {
        let server = self.account.url.to_string();
        let (head, body) = answer.into_parts();
        match Limited::new(body, MAX_ANSWER_BYTES).collect().await {
            Ok(body) => Ok(Response::from_parts(head, body.to_bytes())),
            Err(error) if error.is::<LengthLimitError>() => {
                Err(RequestError::TooLarge { server, limit_bytes: MAX_ANSWER_BYTES })
            }
            Err(error) => {
                let source =
                    error.downcast::<hyper::Error>().expect("the limit or the connection ends a body");
                Err(RequestError::Exchange { server, source: *source })
            }
        }
    }
}

impl Connection {
    async fn open(account: &Account) -> Result<Self, RequestError> {
        let server = || account.url.to_string();
        let transport = connect(&account.url);
        let transport =
            transport.await.map_err(|source| RequestError::Connect { server: server(), source })?;
        let (requests, connection) = http1::handshake(TokioIo::new(transport))
            .await
            .map_err(|source| RequestError::Exchange { server: server(), source })?;
        let driver = tokio::spawn(async move {
            // Whoever waits for an answer gets the error too.
            let _ = connection.await;
        });
        Ok(Self { requests, _driver: AbortOnDropHandle::new(driver) })
    }
}
