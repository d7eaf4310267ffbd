//! Ann, whose things requests are about, and everybody else.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chrono::{DateTime, FixedOffset, Local, TimeDelta};
use shardcast::auth::Passwords;
use shardcast::model::{Application, Client, MessageId, User};
use shardcast::store::{NewApplication, NewClient, NewMessage, NewUser};

use super::Request;
use crate::harness::{Answer, TestServer};

/// What a request carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SentCredentials {
    Nothing,
    /// A token that nobody has.
    Unknown,
    /// The token of Ann's application.
    Application,
    /// The token of a client of Ann's that is not elevated.
    Client,
    /// That of one that is.
    Elevated,
    /// That of an elevated client of Bob's.
    Other,
    /// Ann's name and password.
    Password,
    /// Ann's name and a password that is not hers.
    Wrong,
    /// The token of an administrator's client that is not elevated.
    Plain,
    /// That of one that is.
    Admin,
    /// An administrator's name and password.
    AdminPassword,
    /// The token of a client of Ann's that has expired.
    Expired,
    /// That of one that is deleted.
    Deleted,
    /// The cookie of an elevated client of Ann's, from a page of the server's own.
    Cookie,
    /// The same from a page elsewhere.
    Foreign,
}

impl SentCredentials {
    pub(crate) const ALL: [Self; 15] = [
        Self::Nothing,
        Self::Unknown,
        Self::Application,
        Self::Client,
        Self::Elevated,
        Self::Other,
        Self::Password,
        Self::Wrong,
        Self::Plain,
        Self::Admin,
        Self::AdminPassword,
        Self::Expired,
        Self::Deleted,
        Self::Cookie,
        Self::Foreign,
    ];

    /// Returns the one that a table calls so.
    pub(crate) fn named(name: &str) -> Self {
        let found = Self::ALL.into_iter().find(|carries| format!("{carries:?}").eq_ignore_ascii_case(name));
        found.unwrap_or_else(|| panic!("nothing is called {name}"))
    }
}

/// The people of a server: an Ann, a Bob and an administrator, with all they may have.
pub(crate) struct World {
    pub(crate) ann: Person,
    bob: Person,
    root: Person,
    expired: Client,
    deleted: Client,
}

/// A user with things.
pub(crate) struct Person {
    pub(crate) user: User,
    pub(crate) application: Application,
    plain: Client,
    pub(crate) elevated: Client,
    /// One that nothing is done with.
    spare: Client,
    message: MessageId,
}

/// Everybody's.
const PASSWORD: &str = "secret";

impl World {
    /// Makes new ones, beside those that are there.
    pub(crate) async fn new(server: &TestServer) -> Self {
        let ann = Person::new(server, "ann", false).await;
        let database = server.store.database();
        let long_ago = now() - TimeDelta::days(2);
        let mut expired = NewClient::new(ann.user.id, token('C'), "expired", long_ago);
        expired.expires_after_inactivity_seconds = 3600;
        let expired = database.create_client(expired).await.unwrap();
        let deleted = NewClient::new(ann.user.id, token('C'), "deleted", now());
        let deleted = database.create_client(deleted).await.unwrap();
        let world = Self {
            bob: Person::new(server, "bob", false).await,
            root: Person::new(server, "root", true).await,
            ann,
            expired,
            deleted,
        };
        // It has been used, so that it may be remembered.
        let key = [("X-Gotify-Key".to_owned(), world.deleted.token.clone())];
        assert_eq!(server.send("GET", "/current/user", &key, "").await.status, 200);
        let target = format!("/client/{}", world.deleted.id);
        let deleted = server.send("DELETE", &target, &[basic(&world.ann, PASSWORD)], "").await;
        assert_eq!(deleted.status, 200);
        world
    }

    /// Sends a request about Ann's things.
    pub(crate) async fn ask(
        &self,
        server: &TestServer,
        request: &Request,
        carries: SentCredentials,
    ) -> Answer {
        let mut headers = self.headers(carries);
        let (content_type, body) = self.body(request);
        headers.push(("Content-Type".to_owned(), content_type.to_owned()));
        server.send(&request.method, &self.filled(&request.path), &headers, &body).await
    }

    /// Returns the headers that carry this.
    pub(crate) fn headers(&self, carries: SentCredentials) -> Vec<(String, String)> {
        let key = |token: &str| vec![("X-Gotify-Key".to_owned(), token.to_owned())];
        let cookie = |site: &str| {
            let cookie = format!("gotify-client-token={}", self.ann.elevated.token);
            vec![("Cookie".to_owned(), cookie), ("Sec-Fetch-Site".to_owned(), site.to_owned())]
        };
        match carries {
            SentCredentials::Nothing => vec![],
            SentCredentials::Unknown => key("Cunknown_______"),
            SentCredentials::Application => key(&self.ann.application.token),
            SentCredentials::Client => key(&self.ann.plain.token),
            SentCredentials::Elevated => key(&self.ann.elevated.token),
            SentCredentials::Other => key(&self.bob.elevated.token),
            SentCredentials::Password => vec![basic(&self.ann, PASSWORD)],
            SentCredentials::Wrong => vec![basic(&self.ann, "wrong")],
            SentCredentials::Plain => key(&self.root.plain.token),
            SentCredentials::Admin => key(&self.root.elevated.token),
            SentCredentials::AdminPassword => vec![basic(&self.root, PASSWORD)],
            SentCredentials::Expired => key(&self.expired.token),
            SentCredentials::Deleted => key(&self.deleted.token),
            SentCredentials::Cookie => cookie("same-origin"),
            SentCredentials::Foreign => cookie("cross-site"),
        }
    }

    /// Returns the type and the content of a request's body.
    pub(crate) fn body(&self, request: &Request) -> (&'static str, String) {
        match request.body.as_str() {
            "" => ("text/plain", String::new()),
            "picture" => ("multipart/form-data; boundary=X", picture()),
            json => ("application/json", self.filled(json)),
        }
    }

    /// Puts ids of Ann's in place of the names in braces, and a name that nobody has in place of `{new}`.
    pub(crate) fn filled(&self, text: &str) -> String {
        let ann = &self.ann;
        text.replace("{application}", &ann.application.id.to_string())
            .replace("{client}", &ann.spare.id.to_string())
            .replace("{message}", &ann.message.to_string())
            .replace("{user}", &ann.user.id.to_string())
            .replace("{plugin}", "1")
            .replace("{image}", "nothing.png")
            .replace("{new}", &token('n'))
    }

    /// Returns what nobody but Ann may see.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let ann = &self.ann;
        let tokens = [&ann.application.token, &ann.plain.token, &ann.elevated.token, &ann.spare.token];
        tokens.into_iter().cloned().chain(["of-ann-".to_owned()]).collect()
    }

    /// Answers whether what requests are about is still there, whatever it looks like by now.
    pub(crate) async fn is_there(&self, server: &TestServer) -> bool {
        let database = server.store.database();
        let ann = &self.ann;
        let message = shardcast::store::MessagePage { before: Some(MessageId(ann.message.0 + 1)), limit: 1 };
        let newest = database.messages(ann.user.id, message).await.unwrap();
        newest.first().is_some_and(|message| message.id == ann.message)
            && database.application(ann.application.id).await.unwrap().is_some()
            && database.client(ann.spare.id).await.unwrap().is_some()
            && database.client(ann.elevated.id).await.unwrap().is_some()
    }

    /// Answers whether Ann still has all her things, as they were.
    pub(crate) async fn is_untouched(&self, server: &TestServer) -> bool {
        let database = server.store.database();
        let ann = &self.ann;
        let user = database.user(ann.user.id).await.unwrap();
        let applications = database.applications(ann.user.id).await.unwrap();
        let clients = database.clients(ann.user.id).await.unwrap();
        let page = shardcast::store::MessagePage { before: None, limit: 10 };
        let messages = database.messages(ann.user.id, page).await.unwrap();
        let known =
            |made: &Client| clients.iter().any(|client| (client.id, &client.name) == (made.id, &made.name));
        user.is_some_and(|known| known.user == ann.user)
            && applications
                .iter()
                .map(|application| (application.id, &application.name))
                .eq([(ann.application.id, &ann.application.name)])
            && messages.iter().map(|message| message.id).eq([ann.message])
            && [&ann.plain, &ann.elevated, &ann.spare].into_iter().all(known)
    }
}

impl Person {
    async fn new(server: &TestServer, name: &str, admin: bool) -> Self {
        let database = server.store.database();
        let hash = Passwords::new(4).hash(PASSWORD.to_owned().into()).await.unwrap();
        let user = database
            .create_user(NewUser {
                name: format!("{name}{}", token('-')),
                password_hash: hash,
                admin,
                created_at: now(),
            })
            .await
            .unwrap();
        let application = database
            .create_application(NewApplication {
                user_id: user.id,
                token: token('A'),
                name: format!("of-{name}-application"),
                description: format!("of-{name}-description"),
                default_priority: 0,
                sort_key: None,
                created_at: now(),
            })
            .await
            .unwrap();
        let message = database
            .insert_messages(&[NewMessage {
                user_id: user.id,
                application_id: application.id,
                message: format!("of-{name}-message"),
                title: String::new(),
                priority: 0,
                extras: None,
                date: now(),
            }])
            .await
            .unwrap()
            .ids()[0];
        let client = async |kind: &str, elevated_until| {
            let mut new = NewClient::new(user.id, token('C'), format!("of-{name}-{kind}"), now());
            new.elevated_until = elevated_until;
            database.create_client(new).await.unwrap()
        };
        let (plain, spare) = (client("plain", None).await, client("spare", None).await);
        let elevated = client("elevated", Some(now() + TimeDelta::hours(1))).await;
        Self { user, application, plain, elevated, spare, message }
    }
}

fn now() -> DateTime<FixedOffset> {
    Local::now().fixed_offset()
}

/// Returns a token of 15 characters, of which nobody else has the same.
fn token(first: char) -> String {
    use rand::distr::{Alphanumeric, SampleString};
    format!("{first}{}", Alphanumeric.sample_string(&mut rand::rng(), 14))
}

fn basic(person: &Person, password: &str) -> (String, String) {
    let credentials = BASE64_STANDARD.encode(format!("{}:{password}", person.user.name));
    ("Authorization".to_owned(), format!("Basic {credentials}"))
}

/// A GIF of one pixel, all of whose bytes happen to be text.
fn picture() -> String {
    let gif = "GIF89a\u{1}\0\u{1}\0\0\0\0,\0\0\0\0\u{1}\0\u{1}\0\0\u{2}\u{2}L\u{1}\0;";
    format!(
        "--X\r\nContent-Disposition: form-data; name=\"file\"; filename=\"pixel.gif\"\r\n\
         Content-Type: image/gif\r\n\r\n{gif}\r\n--X--\r\n"
    )
}
