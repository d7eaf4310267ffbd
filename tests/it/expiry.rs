//! Clients that expire when they are not used.
//!
//! Time stands still and is advanced by hand, for the server too: nothing here waits for the clock. It is advanced
//! beyond what is waited for, since timers and the database count whole milliseconds.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chrono::TimeDelta;
use shardcast::auth::Clock;
use shardcast::hub::EndReason;
use shardcast::model::{Client, ClientId, Compatibility, Timestamp};
use shardcast::server::{NodeConfig, NodeParts};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Executor, SqliteConnection};
use tokio::time::advance;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::harness::{Answer, Person, TestServer};
use crate::listener::{Listener, push};

/// How long to wait, by the clock on the wall, for what should be there at once.
const PATIENCE: Duration = Duration::from_mins(1);

/// Tokio goes on to the next timer when nothing else is left to do, and does not see that sockets and the database
/// are at work. It does see a thread that blocks.
pub(crate) struct StandingTime(#[expect(dead_code, reason = "dropping it ends the thread")] mpsc::Sender<()>);

impl StandingTime {
    pub(crate) fn new() -> Self {
        let (running, stop) = mpsc::channel::<()>();
        tokio::task::spawn_blocking(move || stop.recv());
        Self(running)
    }
}

struct Scene {
    server: TestServer,
    ann: Person,
    clock: Clock,
    _time: StandingTime,
}

impl Scene {
    async fn begin() -> Self {
        Self::begin_as(Compatibility::V2).await
    }

    async fn begin_as(compatibility: Compatibility) -> Self {
        let time = StandingTime::new();
        let clock = Clock::of_runtime(chrono::Local::now().fixed_offset());
        let mut parts = NodeParts::default();
        parts.clock = clock;
        let change = |config: &mut NodeConfig| {
            config.api.compatibility = compatibility;
            // Pings are not what these tests are about.
            config.stream.ping_period = Duration::from_hours(24);
            config.stream.pong_timeout = Duration::from_hours(24);
        };
        let server = TestServer::start_of(parts, change, |_| {}).await;
        let ann = server.person("ann").await;
        Self { server, ann, clock, _time: time }
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Takes the lock that a writer needs, until the connection is dropped.
    async fn lock_database(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(&self.server.database);
        let mut connection = options.connect().await.unwrap();
        connection.execute("BEGIN IMMEDIATE").await.unwrap();
        connection
    }

    /// Makes a client of Ann's that expires after so many seconds.
    async fn client(&self, expires_after_seconds: u64) -> Client {
        let body =
            format!(r#"{{"name": "tablet", "expiresAfterInactivitySeconds": {expires_after_seconds}}}"#);
        let made = self.request("POST", "/client", &self.ann.client.token, &body).await;
        assert_eq!(made.status, 200, "{made:?}");
        serde_json::from_str(&made.body).unwrap()
    }

    async fn request(&self, method: &str, target: &str, token: &str, body: &str) -> Answer {
        let headers = [
            ("X-Gotify-Key".to_owned(), token.to_owned()),
            ("Content-Type".to_owned(), "application/json".to_owned()),
        ];
        self.server.send(method, target, &headers, body).await
    }

    async fn uses(&self, client: &Client) -> u16 {
        self.request("GET", "/application", &client.token, "").await.status
    }

    async fn stream(&self, client: &Client) -> Listener {
        Listener::at(&self.server.address.to_string(), &client.token, "").await
    }

    /// Makes a user, and opens a stream with the user's name and password.
    async fn stream_by_password(&self, name: &str) -> Listener {
        let person = self.server.person(name).await;
        let credentials = BASE64_STANDARD.encode(format!("{name}:{}", person.password));
        let url = format!("ws://{}/stream", self.server.address);
        let mut request = url.into_client_request().unwrap();
        let authorization = format!("Basic {credentials}").parse().unwrap();
        request.headers_mut().insert("Authorization", authorization);
        Listener(connect_async(request).await.unwrap().0)
    }

    async fn row(&self, id: ClientId) -> Option<Client> {
        self.server.store.database().client(id).await.unwrap().map(|owned| owned.row)
    }

    async fn until_no_stream(&self) {
        let gone = async {
            while self.server.hub.stream_count() > 0 {
                tokio::task::yield_now().await;
            }
        };
        self.wait_for(gone).await;
    }

    async fn until_closed(&self, mut stream: Listener) {
        assert_eq!(self.wait_for(stream.close_code()).await, 1008);
    }

    /// Waits until a client's row is as it should be.
    async fn until(&self, id: ClientId, reached: impl Fn(Option<&Client>) -> bool) {
        let reached = async {
            while !reached(self.row(id).await.as_ref()) {
                tokio::task::yield_now().await;
            }
        };
        self.wait_for(reached).await;
    }

    /// Waits while the server's time goes on slowly, by 12 s at most. An advance by minutes is one by more than it
    /// waits for its database, so what asks the database just then gives up, and asks again after ten seconds: were
    /// time to stand, never.
    async fn wait_for<T>(&self, awaited: impl Future<Output = T>) -> T {
        let too_late = async {
            let (begun, mut passed) = (Instant::now(), 0);
            while begun.elapsed() < PATIENCE {
                self.row(ClientId(0)).await;
                // Not before a disk that is slow to sync has had time for it.
                if passed < 12 && begun.elapsed() > Duration::from_millis(200) * (passed + 1) {
                    passed += 1;
                    seconds(1).await;
                }
            }
            panic!("not reached, though 12 s passed for the server");
        };
        tokio::select! {
            biased;
            awaited = awaited => awaited,
            never = too_late => never,
        }
    }
}

async fn seconds(seconds: u64) {
    advance(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_not_used_is_gone_and_its_stream_closed_at_once() {
    let scene = Scene::begin().await;
    let tablet = scene.client(60).await;
    let stream = scene.stream(&tablet).await;
    seconds(59).await;
    assert_eq!(scene.server.hub.stream_count(), 1);
    assert!(scene.row(tablet.id).await.is_some());

    seconds(2).await;
    scene.until_closed(stream).await;
    scene.until_no_stream().await;
    assert_eq!(scene.server.hub.end_counts(), [(EndReason::TokenExpired, 1)]);
    assert!(scene.row(tablet.id).await.is_none(), "its row is deleted");
    assert_eq!(scene.uses(&tablet).await, 401);
}

#[tokio::test(start_paused = true)]
async fn an_expired_client_is_not_seen_even_before_its_row_is_deleted() {
    let scene = Scene::begin().await;
    let tablet = scene.client(3600).await;
    assert_eq!(scene.uses(&tablet).await, 200);
    scene.until(tablet.id, |row| row.unwrap().last_used.is_some()).await;
    // Nobody can write now, so the row stays.
    let locked = scene.lock_database().await;
    seconds(3601).await;
    assert!(scene.row(tablet.id).await.is_some());
    assert_eq!(scene.uses(&tablet).await, 401, "though it was known");
    let path = format!("/client/{}", tablet.id);
    let mine = &scene.ann.client.token;
    let listed = scene.request("GET", "/client", mine, "").await;
    assert_eq!(listed.json().as_array().unwrap().len(), 1, "{listed:?}");
    assert_eq!(scene.request("PUT", &path, mine, r#"{"name": "x"}"#).await.status, 404);
    assert_eq!(scene.request("DELETE", &path, mine, "").await.status, 404);
    let elevate = format!("{path}/elevate");
    assert_eq!(scene.request("POST", &elevate, mine, r#"{"durationSeconds": 9}"#).await.status, 404);
    drop(locked);
}

#[tokio::test(start_paused = true)]
async fn every_use_puts_expiry_off() {
    let scene = Scene::begin().await;
    let tablet = scene.client(60).await;
    for _ in 0..5 {
        seconds(50).await;
        let before = scene.row(tablet.id).await.unwrap().expires_at;
        assert_eq!(scene.uses(&tablet).await, 200);
        scene.until(tablet.id, |row| row.unwrap().expires_at > before).await;
    }
    seconds(61).await;
    assert_eq!(scene.uses(&tablet).await, 401);
}

#[tokio::test(start_paused = true)]
async fn an_open_stream_is_a_use_every_five_minutes() {
    let scene = Scene::begin().await;
    let tablet = scene.client(400).await;
    let stream = scene.stream(&tablet).await;
    scene.until(tablet.id, |row| row.unwrap().last_used.is_some()).await;
    for _ in 0..3 {
        let before = scene.row(tablet.id).await.unwrap().last_used;
        seconds(301).await;
        scene.until(tablet.id, |row| row.unwrap().last_used > before).await;
    }
    assert_eq!(scene.server.hub.stream_count(), 1);
    // What was cached at the first use is out of date, and not believed.
    assert_eq!(scene.uses(&tablet).await, 200);

    drop(stream);
    scene.until_no_stream().await;
    seconds(401).await;
    scene.until(tablet.id, |row| row.is_none()).await;
}

#[tokio::test(start_paused = true)]
async fn a_shorter_expiry_counts_from_the_last_use() {
    let scene = Scene::begin().await;
    let tablet = scene.client(0).await;
    let stream = scene.stream(&tablet).await;
    scene.until(tablet.id, |row| row.unwrap().last_used.is_some()).await;
    seconds(101).await;
    let body = r#"{"name": "tablet", "expiresAfterInactivitySeconds": 100}"#;
    let path = format!("/client/{}", tablet.id);
    assert_eq!(scene.request("PUT", &path, &scene.ann.client.token, body).await.status, 200);
    scene.until_closed(stream).await;
    assert_eq!(scene.uses(&tablet).await, 401);
}

#[tokio::test(start_paused = true)]
async fn an_elevation_ends_by_itself() {
    let scene = Scene::begin_as(Compatibility::V3).await;
    let mine = &scene.ann.client;
    scene
        .server
        .store
        .database()
        .elevate_client(mine.id, scene.now() + TimeDelta::seconds(60), scene.now())
        .await
        .unwrap();
    let delete = async || scene.request("DELETE", "/application/7777", &mine.token, "").await.status;
    assert_eq!(delete().await, 404);
    seconds(59).await;
    assert_eq!(delete().await, 404);
    seconds(1).await;
    assert_eq!(delete().await, 403);
}

/// Counts the transactions in the write-ahead log: the last frame of each holds the size of the database, the others 0
/// (SQLite's file format, section 4.1). Nothing is moved out of the log before it is far longer than here.
fn transactions(scene: &Scene) -> usize {
    let log = std::fs::read(scene.server.database.with_extension("db-wal")).unwrap();
    let number = |at: usize| u32::from_be_bytes(log[at..at + 4].try_into().unwrap());
    let frame_bytes = 24 + number(8) as usize;
    (32..log.len()).step_by(frame_bytes).filter(|&frame| number(frame + 4) != 0).count()
}

#[tokio::test(start_paused = true)]
async fn all_clients_that_have_streams_are_noted_in_one_transaction() {
    let scene = Scene::begin().await;
    let mut streams = Vec::new();
    for _ in 0..20 {
        let tablet = scene.client(0).await;
        streams.push((scene.stream(&tablet).await, tablet));
        let (_, tablet) = streams.last().unwrap();
        scene.until(tablet.id, |row| row.unwrap().last_used.is_some()).await;
    }
    let before = transactions(&scene);
    seconds(301).await;
    for (_, tablet) in &streams {
        let used = |row: Option<&Client>| {
            row.unwrap().last_used.unwrap() > tablet.created_at + TimeDelta::seconds(299)
        };
        scene.until(tablet.id, used).await;
    }
    assert_eq!(transactions(&scene) - before, 1);
}

#[tokio::test(start_paused = true)]
async fn what_was_deleted_behind_the_servers_back_is_accepted_for_a_minute_at_most() {
    let scene = Scene::begin().await;
    let tablet = scene.client(0).await;
    let key = [("X-Gotify-Key".to_owned(), scene.ann.application.token.clone())];
    let sends = async || scene.server.send("POST", "/message?message=x", &key, "").await.status;
    assert_eq!((scene.uses(&tablet).await, sends().await), (200, 200));
    // As another program does that writes to the file.
    let database = scene.server.store.database();
    database.delete_client(tablet.id).await.unwrap();
    database.delete_application(scene.ann.application.id).await.unwrap();
    seconds(61).await;
    assert_eq!((scene.uses(&tablet).await, sends().await), (401, 401));
}

#[tokio::test(start_paused = true)]
async fn streams_of_what_was_deleted_behind_the_servers_back_are_closed_within_five_minutes() {
    let scene = Scene::begin().await;
    let tablet = scene.client(0).await;
    let mut mine = scene.stream(&scene.ann.client).await;
    let (by_client, by_password) = (scene.stream(&tablet).await, scene.stream_by_password("bob").await);
    let database = scene.server.store.database();
    database.delete_client(tablet.id).await.unwrap();
    let bob = database.user_by_name("bob").await.unwrap().unwrap().user;
    database.delete_user(bob.id).await.unwrap();
    seconds(301).await;
    scene.until_closed(by_client).await;
    scene.until_closed(by_password).await;
    let sent = push(&scene.server, &scene.ann, "x").await;
    assert_eq!(mine.message().await, sent, "the others stay");
}

#[tokio::test(start_paused = true)]
async fn a_tokens_first_use_is_in_its_own_answer_whatever_the_database_does() {
    let scene = Scene::begin().await;
    let tablet = scene.client(600).await;
    let locked = scene.lock_database().await;
    seconds(1).await;
    // Refused, since the database takes no message now; but the token was used.
    let key = [("X-Gotify-Key".to_owned(), scene.ann.application.token.clone())];
    assert_eq!(scene.server.send("POST", "/message?message=x", &key, "").await.status, 503);
    let listed = scene.request("GET", "/client", &tablet.token, "").await.json();
    let client = |listed: &serde_json::Value| {
        let found = listed.as_array().unwrap().iter().find(|client| client["id"] == tablet.id.0).cloned();
        serde_json::from_value::<Client>(found.unwrap()).unwrap()
    };
    let shown = client(&listed);
    assert!(shown.last_used.unwrap() > tablet.created_at, "{shown:?}");
    assert!(shown.expires_at > tablet.expires_at, "{shown:?}");
    let applications = scene.request("GET", "/application", &tablet.token, "").await.json();
    assert!(applications[0]["lastUsed"].is_string(), "{applications}");

    drop(locked);
    scene.until(tablet.id, |row| row.unwrap().last_used.is_some()).await;
    let listed = scene.request("GET", "/client", &tablet.token, "").await.json();
    assert!(client(&listed).last_used >= shown.last_used);
}
