//! The application, the clients and the users that a run publishes and listens with; removed when dropped.

use anyhow::Result;

use crate::{
    client::{
        api::{Api, Credentials, Made},
        format::Format,
        message::{MIN_TEXT_BYTES, RunId, Template},
        upgrade,
    },
    peer::Peer,
    report::{progress::Progress, terminal},
};

/// How a run gets at a peer.
#[derive(Debug)]
pub(crate) struct Account {
    host: String,
    prefix: String,
    tokens: Option<Tokens>,
    format: Format,
}

struct Tokens {
    api: Api,
    application: Made,
    /// Of the user that the load tester logs in as.
    clients: Vec<Made>,
    /// Others, with a client each.
    users: Vec<OtherUser>,
}

struct OtherUser {
    id: u64,
    client: Option<Made>,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").field("api", &self.api).finish_non_exhaustive()
    }
}

impl Account {
    /// Makes what the peer needs: an application and clients, or nothing for the baseline, which has no formats. With
    /// `users`, so many are made with a client each, and streams are theirs.
    pub(crate) fn open(peer: &Peer, clients: u32, users: u32, format: Format) -> Result<Self> {
        let (host, prefix) = (peer.host.clone(), peer.prefix.clone());
        let Some(api) = peer.api() else {
            return Ok(Self { host, prefix, tokens: None, format: Format::Json });
        };
        let application = api.make("application", "shardcast-bench")?;
        // From here on dropping removes what there is.
        let mut tokens = Tokens { api, application, clients: Vec::new(), users: Vec::new() };
        for _ in 0..clients.max(1) {
            let client = tokens.api.make("client", "shardcast-bench")?;
            tokens.clients.push(client);
        }
        let progress = Progress::new("users made", u64::from(users));
        for number in 0..users {
            tokens.add_user(number)?;
            progress.show(u64::from(number) + 1);
        }
        Ok(Self { host, prefix, tokens: Some(tokens), format })
    }

    /// Returns the id of the application, or 0 at the baseline.
    pub(crate) fn application(&self) -> u64 {
        self.tokens.as_ref().map_or(0, |tokens| tokens.application.id)
    }

    /// Returns the API with the credentials the account was made with.
    pub(crate) fn api(&self) -> Option<&Api> {
        self.tokens.as_ref().map(|tokens| &tokens.api)
    }

    /// Returns the format that messages are published in and come in.
    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// Returns whether the ids of messages say in which order the server took them.
    pub(crate) fn orders_by_id(&self) -> bool {
        self.tokens.is_some()
    }

    /// Returns what streams send to be admitted, one for each client.
    pub(crate) fn handshakes(&self) -> Vec<Vec<u8>> {
        self.handshakes_for("/stream")
    }

    /// Returns the same for streams that have everything up to this message.
    pub(crate) fn handshakes_since(&self, id: u64) -> Vec<Vec<u8>> {
        self.handshakes_for(&format!("/stream?since={id}"))
    }

    fn handshakes_for(&self, path: &str) -> Vec<Vec<u8>> {
        let request = |key: &str| {
            let header = format!("{key}{}", self.format.handshake_header());
            upgrade::request(&format!("{}{path}", self.prefix), &self.host, &header)
        };
        match &self.tokens {
            Some(tokens) => tokens.listeners().map(|client| request(&key(client))).collect(),
            None => vec![request("")],
        }
    }

    /// Returns the request that publishes a message with a text of `text_bytes`.
    ///
    /// The baseline sends a body on as it is, so it gets one that looks like what a server makes of it.
    pub(crate) fn template(&self, run: RunId, text_bytes: usize) -> Template {
        const TITLE: &str = "shardcast-bench";
        let Some(tokens) = &self.tokens else {
            let head = format!("POST / HTTP/1.1\r\nHost: {}\r\n", self.host);
            let before = "{\"id\":10000000000,\"appid\":1,\"message\":\"";
            let after = format!(
                "\",\"title\":\"{TITLE}\",\"priority\":0,\"date\":\"2026-01-01T00:00:00.000000000Z\"}}\n"
            );
            return Template::new(&head, before.as_bytes(), run, text_bytes, after.as_bytes()).numbered();
        };
        let (before, after, media_type) = self.format.around(text_bytes.max(MIN_TEXT_BYTES), TITLE);
        let head = format!(
            "POST {}/message HTTP/1.1\r\nHost: {}\r\n{}Content-Type: {media_type}\r\n",
            self.prefix,
            self.host,
            key(&tokens.application)
        );
        Template::new(&head, &before, run, text_bytes, &after)
    }
}

impl Tokens {
    fn add_user(&mut self, number: u32) -> Result<()> {
        let name = format!("shardcast-bench-{}-{number}", std::process::id());
        let login = Credentials { user: name.clone(), pass: name };
        let id = self.api.make_user(&login)?;
        self.users.push(OtherUser { id, client: None });
        let client = self.api.with(login).make("client", "shardcast-bench")?;
        if let Some(user) = self.users.last_mut() {
            user.client = Some(client);
        }
        Ok(())
    }

    /// The clients whose tokens streams have.
    fn listeners(&self) -> impl Iterator<Item = &Made> {
        let own = if self.users.is_empty() { &self.clients[..] } else { &[] };
        own.iter().chain(self.users.iter().filter_map(|user| user.client.as_ref()))
    }
}

impl Drop for Tokens {
    fn drop(&mut self) {
        let Self { api, application, clients, users } = self;
        let mut removed = api.remove("application", application.id);
        for client in clients {
            removed = removed.and(api.remove("client", client.id));
        }
        for user in users {
            removed = removed.and(api.remove("user", user.id));
        }
        if let Err(error) = removed {
            terminal::warn(&format!("failed to remove what the run made: {error:#}"));
        }
    }
}

fn key(made: &Made) -> String {
    format!("X-Gotify-Key: {}\r\n", made.token)
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::TcpListener,
        thread,
    };

    use super::*;

    /// Answers so many requests, one a connection, and returns their first lines.
    fn serve(listener: TcpListener, requests: usize) -> thread::JoinHandle<Vec<String>> {
        const BODY: &str = "{\"id\":7,\"token\":\"T7\"}";
        thread::spawn(move || {
            let answer = |_| {
                let (mut socket, _) = listener.accept().unwrap();
                let mut request = [0; 4096];
                let got = socket.read(&mut request).unwrap();
                write!(socket, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{BODY}", BODY.len()).unwrap();
                String::from_utf8_lossy(&request[..got]).lines().next().unwrap().to_owned()
            };
            (0..requests).map(answer).collect()
        })
    }

    #[test]
    fn an_account_is_made_and_removed_again() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/push", listener.local_addr().unwrap());
        let login = Credentials { user: "u".to_owned(), pass: "p".to_owned() };
        let peer = Peer::parse(&url, &login).unwrap();
        let server = serve(listener, 6);
        let account = Account::open(&peer, 2, 0, Format::Protobuf).unwrap();
        assert_eq!(account.application(), 7);
        let handshakes = account.handshakes();
        assert_eq!(handshakes.len(), 2);
        assert!(String::from_utf8_lossy(&handshakes[1]).contains("X-Gotify-Key: T7\r\n"));
        assert!(String::from_utf8_lossy(&handshakes[1]).contains("Protocol: gotify.v1.protobuf\r\n"));
        drop(account);
        let lines = [
            "POST /push/application HTTP/1.1",
            "POST /push/client HTTP/1.1",
            "POST /push/client HTTP/1.1",
            "DELETE /push/application/7 HTTP/1.1",
            "DELETE /push/client/7 HTTP/1.1",
            "DELETE /push/client/7 HTTP/1.1",
        ];
        assert_eq!(server.join().unwrap(), lines);
    }

    #[test]
    fn users_are_made_with_a_client_each_and_streams_are_theirs() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let login = Credentials { user: "u".to_owned(), pass: "p".to_owned() };
        let peer = Peer::parse(&url, &login).unwrap();
        let server = serve(listener, 10);
        let account = Account::open(&peer, 1, 2, Format::Json).unwrap();
        assert_eq!(account.handshakes().len(), 2);
        drop(account);
        let lines = [
            "POST /application HTTP/1.1",
            "POST /client HTTP/1.1",
            "POST /user HTTP/1.1",
            "POST /client HTTP/1.1",
            "POST /user HTTP/1.1",
            "POST /client HTTP/1.1",
            "DELETE /application/7 HTTP/1.1",
            "DELETE /client/7 HTTP/1.1",
            "DELETE /user/7 HTTP/1.1",
            "DELETE /user/7 HTTP/1.1",
        ];
        assert_eq!(server.join().unwrap(), lines);
    }
}
