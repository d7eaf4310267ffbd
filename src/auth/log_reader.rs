//! What others have revoked on the same database: commands, and other servers.

mod position;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};
use tokio_util::task::AbortOnDropHandle;

use self::position::Position;
use super::Authenticator;
use super::revoke::hub_id;
use super::stream_check::StreamCheck;
use crate::hub::Hub;
use crate::store::{Database, LastWrite, Revocation, StoreError};
use crate::task;

/// How often the log is read, where the database can't tell at once that nobody has written. What others revoke takes
/// effect within this time and that of a query.
const PERIOD: Duration = Duration::from_secs(2);

/// How long entries are kept. Whoever could not read the log for longer looks everybody up again.
const KEPT: Duration = Duration::from_hours(1);

/// Entries of one query.
const PAGE: usize = 1000;

/// The task that reads the log of what was revoked, applies it on this node, and deletes old entries. It ends with the
/// last handle.
///
/// What this node has revoked itself is in the log too, and is applied once more, which does no harm.
#[derive(Clone, Debug)]
pub struct RevocationReader {
    asked: Arc<Notify>,
    _task: Arc<AbortOnDropHandle<()>>,
}

impl RevocationReader {
    /// Starts the task. It calls `on_unknown` whenever it is not known what was revoked, for example because an older state
    /// of the database is back: then messages may have been missed, too. It notifies `rules_changed` whenever anybody may have
    /// changed how long messages of an application are kept.
    ///
    /// # Panics
    ///
    /// Outside a Tokio runtime.
    pub fn spawn(
        database: Arc<dyn Database>,
        auth: Authenticator,
        hub: Hub,
        (on_unknown, rules_changed): (impl Fn() + Send + Sync + 'static, Arc<Notify>),
    ) -> Self {
        let streams = StreamCheck::new(Arc::clone(&database), auth.clone(), hub.clone());
        let asked = Arc::new(Notify::new());
        let on_unknown = Box::new(on_unknown);
        let task =
            Task { database, auth, hub, streams, asked: Arc::clone(&asked), on_unknown, rules_changed };
        Self { asked, _task: Arc::new(AbortOnDropHandle::new(task::spawn(task.run_on()))) }
    }

    /// Makes it read the log now: something was revoked elsewhere.
    pub fn wake(&self) {
        self.asked.notify_one();
    }
}

struct Task {
    database: Arc<dyn Database>,
    auth: Authenticator,
    hub: Hub,
    streams: StreamCheck,
    asked: Arc<Notify>,
    on_unknown: Box<dyn Fn() + Send + Sync>,
    rules_changed: Arc<Notify>,
}

/// What the task knows from one round to the next.
struct Progress {
    position: Position,
    /// Something was revoked, and it is not known what.
    is_incomplete: bool,
    /// When there may be old entries to delete.
    delete_at: Option<Instant>,
    /// When the last new entry was read.
    newest_at: Instant,
    /// What had been written when the log was read last: until there is more, there is nothing new in it.
    read_at: Option<LastWrite>,
}

impl Task {
    /// Runs the task, and runs it again after a while whenever it panics.
    async fn run_on(self) {
        let mut progress = Progress {
            position: Position::new(self.database.longest_revocation()),
            is_incomplete: false,
            delete_at: Some(Instant::now()),
            newest_at: Instant::now(),
            read_at: None,
        };
        loop {
            match AssertUnwindSafe(self.round(&mut progress)).catch_unwind().await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::debug!(%error, "failed to read what was revoked"),
                Err(_) => {
                    self.hub.report_panic("reading what was revoked");
                    progress.is_incomplete = true;
                }
            }
            if timeout(PERIOD, self.asked.notified()).await.is_ok() {
                progress.read_at = None;
            }
        }
    }

    async fn round(&self, progress: &mut Progress) -> Result<(), StoreError> {
        self.delete_old(progress).await?;
        let last_write = self.database.last_write();
        if last_write.is_none() || last_write != progress.read_at {
            self.read(progress).await?;
            progress.read_at = last_write.filter(|_| !progress.is_incomplete);
        }
        if progress.is_incomplete {
            tracing::info!("looking up all who have streams: it is not known what was revoked");
            self.auth.forget_all();
            (self.on_unknown)();
            self.rules_changed.notify_one();
            self.streams.check().await?;
            progress.is_incomplete = false;
        }
        Ok(())
    }

    async fn read(&self, progress: &mut Progress) -> Result<(), StoreError> {
        loop {
            let first = progress.position.next();
            let asked_at = Instant::now();
            let entries = self.database.revocations_from(first, PAGE).await?;
            let is_last = entries.len() < PAGE;
            let Some(new) = progress.position.advance(entries, asked_at, Instant::now()) else {
                // Entries were deleted before this node has read them, or the database is an older one.
                progress.position.restart();
                progress.is_incomplete = true;
                return Ok(());
            };
            for entry in new {
                progress.newest_at = Instant::now();
                progress.delete_at.get_or_insert(progress.newest_at + KEPT);
                let is_one = |revocation: &Revocation| !matches!(revocation, Revocation::DatabaseWentBack {});
                let Some(revocation) = entry.revocation.filter(is_one) else {
                    progress.is_incomplete = true;
                    continue;
                };
                if let Err(error) = self.apply(&revocation).await {
                    // It is not read again.
                    progress.is_incomplete = true;
                    return Err(error);
                }
            }
            if is_last {
                progress.position.rewind();
                return Ok(());
            }
        }
    }

    /// Applies it, but leaves streams open that the database knows to be valid: of something else that has begun since.
    async fn apply(&self, revocation: &Revocation) -> Result<(), StoreError> {
        revocation.forget(&self.auth);
        match revocation {
            Revocation::UserDeleted { .. } => self.database.delete_leftovers(),
            Revocation::RetentionChanged { .. } => self.rules_changed.notify_one(),
            _ => {}
        }
        let is_valid = match revocation {
            Revocation::ClientDeleted { user_id, token } | Revocation::ClientExpired { user_id, token } => {
                self.hub.has_streams(hub_id(*user_id)) && self.auth.stored_client(token).await?.is_some()
            }
            Revocation::UserDeleted { user_id, .. } => {
                self.hub.has_streams(hub_id(*user_id)) && self.database.user(*user_id).await?.is_some()
            }
            _ => false,
        };
        if !is_valid {
            revocation.apply(&self.auth, &self.hub);
        }
        Ok(())
    }

    /// Deletes old entries once there are any, so that nothing is written where nothing happens.
    async fn delete_old(&self, progress: &mut Progress) -> Result<(), StoreError> {
        if progress.delete_at.is_some_and(|at| at <= Instant::now()) {
            self.database.delete_revocations_older_than(KEPT).await?;
            let next = progress.newest_at + KEPT;
            progress.delete_at = (next > Instant::now()).then_some(next);
        }
        Ok(())
    }
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use std::path::Path;

    use sqlx::{ConnectOptions as _, sqlite::SqliteConnectOptions};

    use super::*;
    use crate::auth::{Passwords, StoredCredentials};
    use crate::hub::HubConfig;
    use crate::store::Sqlite;

    /// Reads the log of a new file of SQLite.
    async fn reader(
        file: &Path,
        on_unknown: impl Fn() + Send + Sync + 'static,
        rules_changed: &Arc<Notify>,
    ) -> RevocationReader {
        let opened = Sqlite::open(file.to_str().expect("the path is text")).await;
        let database: Arc<dyn Database> = Arc::new(opened.expect("a new file can be made"));
        let credentials = StoredCredentials::new(Arc::clone(&database), Passwords::new(4));
        let auth = Authenticator::new(Arc::new(credentials), Passwords::new(4));
        let hub = Hub::new(HubConfig::default());
        RevocationReader::spawn(database, auth, hub, (on_unknown, Arc::clone(rules_changed)))
    }

    #[tokio::test]
    async fn what_is_left_of_a_user_that_another_process_has_deleted_is_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("gotify.db");
        let reader = reader(&file, || {}, &Arc::default()).await;
        let mut other = SqliteConnectOptions::new().filename(&file).connect().await.unwrap();
        let message = "INSERT INTO messages (application_id, message) VALUES (99, 'left')";
        let entry = "INSERT INTO shardcast_log (written_at, kind, payload) VALUES (0, 'UserDeleted', \
            '{\"user_id\":7,\"client_tokens\":[],\"application_tokens\":[]}')";
        // The first may still be seen by the look after the start.
        for _ in 0..3 {
            for statement in [message, entry] {
                sqlx::query(statement).execute(&mut other).await.unwrap();
            }
            reader.wake();
            let gone = async {
                let count = "SELECT count(*) FROM messages";
                while sqlx::query_scalar::<_, i64>(count).fetch_one(&mut other).await.unwrap() > 0 {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            };
            timeout(Duration::from_secs(30), gone).await.expect("they go");
        }
    }

    #[tokio::test]
    async fn heads_are_compared_when_the_log_says_that_the_database_went_back() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("gotify.db");
        let unknown = Arc::new(Notify::new());
        let on_unknown = {
            let unknown = Arc::clone(&unknown);
            move || unknown.notify_one()
        };
        let rules_changed = Arc::default();
        let reader = reader(&file, on_unknown, &rules_changed).await;
        let heard = async || timeout(Duration::from_secs(30), unknown.notified()).await.is_ok();
        assert!(
            timeout(Duration::from_millis(100), unknown.notified()).await.is_err(),
            "nothing is unknown yet"
        );

        let mut other = SqliteConnectOptions::new().filename(&file).connect().await.unwrap();
        let insert = "INSERT INTO shardcast_log (written_at, kind, payload) VALUES (0, ?, '{}')";
        for kind in ["DatabaseWentBack", "GroupDeleted"] {
            sqlx::query(insert).bind(kind).execute(&mut other).await.unwrap();
            reader.wake();
            assert!(heard().await, "{kind}");
            let read_again = timeout(Duration::from_secs(30), rules_changed.notified()).await;
            assert!(read_again.is_ok(), "rules may have changed: {kind}");
        }
    }

    #[tokio::test]
    async fn who_deletes_messages_hears_of_rules_that_another_process_has_changed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("gotify.db");
        let rules_changed = Arc::default();
        let reader = reader(&file, || {}, &rules_changed).await;
        let mut other = SqliteConnectOptions::new().filename(&file).connect().await.unwrap();
        let insert = "INSERT INTO shardcast_log (written_at, kind, payload) VALUES (0, ?, ?)";
        for (kind, payload, is_heard) in [
            ("ApplicationChanged", r#"{"token":"A1"}"#, false),
            ("RetentionChanged", r#"{"application_id":7}"#, true),
        ] {
            sqlx::query(insert).bind(kind).bind(payload).execute(&mut other).await.unwrap();
            reader.wake();
            let longest = Duration::from_millis(if is_heard { 30_000 } else { 100 });
            assert_eq!(timeout(longest, rules_changed.notified()).await.is_ok(), is_heard, "{kind}");
        }
    }
}
