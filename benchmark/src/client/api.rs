//! Gotify's REST API as far as the load tester uses it: blocking, one connection a call.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::client::http;

const TIMEOUT: Duration = Duration::from_secs(30);

/// A user of the server that may make applications and clients.
#[derive(Clone)]
pub(crate) struct Credentials {
    pub(crate) user: String,
    pub(crate) pass: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("user", &self.user).finish_non_exhaustive()
    }
}

/// An application or a client as the server made it.
#[derive(serde::Deserialize)]
pub(crate) struct Made {
    pub(crate) id: u64,
    pub(crate) token: String,
}

/// One stored message.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Stored {
    pub(crate) id: u64,
    pub(crate) message: String,
}

#[derive(serde::Deserialize)]
struct Page {
    messages: Vec<Stored>,
}

/// The API of one server.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    pub(crate) address: SocketAddr,
    pub(crate) host: String,
    /// What stands before every path, without a slash at its end.
    pub(crate) prefix: String,
    pub(crate) credentials: Credentials,
}

impl Api {
    /// Makes an application or a client (`kind` is the last part of the path).
    pub(crate) fn make(&self, kind: &str, name: &str) -> Result<Made> {
        self.call("POST", &format!("/{kind}"), Some(&json!({ "name": name })))
    }

    /// Makes a user with this name and password; returns its id. Only an administrator may.
    pub(crate) fn make_user(&self, login: &Credentials) -> Result<u64> {
        #[derive(serde::Deserialize)]
        struct User {
            id: u64,
        }
        let body = json!({ "name": login.user, "pass": login.pass, "admin": false });
        self.call("POST", "/user", Some(&body)).map(|user: User| user.id)
    }

    /// Returns the API as another user has it.
    pub(crate) fn with(&self, credentials: Credentials) -> Self {
        Self { credentials, ..self.clone() }
    }

    /// Removes an application, a client or a user.
    pub(crate) fn remove(&self, kind: &str, id: u64) -> Result<()> {
        self.request("DELETE", &format!("/{kind}/{id}"), None).map(|_| ())
    }

    /// Returns whether the server answers at all.
    pub(crate) fn is_up(&self) -> bool {
        self.request("GET", "/health", None).is_ok()
    }

    /// Returns every message of an application that is stored.
    pub(crate) fn messages(&self, application: u64) -> Result<Vec<Stored>> {
        let mut all: Vec<Stored> = Vec::new();
        loop {
            let since = all.last().map_or(String::new(), |last| format!("&since={}", last.id));
            let path = format!("/application/{application}/message?limit=200{since}");
            let page: Page = self.call("GET", &path, None)?;
            if page.messages.is_empty() {
                return Ok(all);
            }
            all.extend(page.messages);
        }
    }

    /// Returns the id of the newest message of this user, or 0.
    pub(crate) fn newest_message(&self) -> Result<u64> {
        let newest: Page = self.call("GET", "/message?limit=1", None)?;
        Ok(newest.messages.first().map_or(0, |message| message.id))
    }

    /// Removes every message of an application.
    pub(crate) fn clear(&self, application: u64) -> Result<()> {
        self.request("DELETE", &format!("/application/{application}/message"), None).map(|_| ())
    }

    fn call<T: DeserializeOwned>(&self, method: &str, path: &str, body: Option<&Value>) -> Result<T> {
        let answer = self.request(method, path, body)?;
        serde_json::from_slice(&answer)
            .with_context(|| format!("{method} {path}: the answer is not what it should be"))
    }

    fn request(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Vec<u8>> {
        let what = || format!("{method} {}{path} at {}", self.prefix, self.address);
        let Credentials { user, pass } = &self.credentials;
        let basic = STANDARD.encode(format!("{user}:{pass}"));
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = format!(
            "{method} {}{path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Basic {basic}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.prefix,
            self.host,
            body.len()
        );
        let mut socket = TcpStream::connect_timeout(&self.address, TIMEOUT).with_context(what)?;
        socket.set_read_timeout(Some(TIMEOUT))?;
        socket.write_all(request.as_bytes()).with_context(what)?;
        let mut answer = Vec::new();
        let mut chunk = [0; 16 << 10];
        loop {
            if let Some(response) = http::response(&answer).with_context(what)? {
                if response.status == 200 {
                    return Ok(response.body.into_owned());
                }
                bail!(
                    "{}: answered {}: {}",
                    what(),
                    response.status,
                    String::from_utf8_lossy(&response.body)
                );
            }
            match socket.read(&mut chunk).with_context(what)? {
                0 => bail!("{}: the connection ended before the answer", what()),
                got => answer.extend_from_slice(&chunk[..got]),
            }
        }
    }
}
