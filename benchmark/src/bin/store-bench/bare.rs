//! Clients that do no more than to run the statements of a transaction.

use std::fmt::Display;

use anyhow::Result;
use shardcast::external::chrono::{DateTime, Utc};
use shardcast::store::NewMessage;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _, Row as _};

use super::SENDERS;
use super::server::Server;

/// Stores messages without looking at what the database answers.
pub(crate) trait Bare {
    /// Stores one message of each of so many users, durably.
    async fn store(&mut self, count: usize) -> Result<()>;
}

/// The columns of the messages.
struct Columns {
    users: Vec<i64>,
    applications: Vec<i64>,
    message: String,
    title: String,
    date: DateTime<Utc>,
}

impl Columns {
    fn new(messages: impl Iterator<Item = NewMessage>) -> Result<Self> {
        let mut columns = Self {
            users: vec![],
            applications: vec![],
            message: String::new(),
            title: String::new(),
            date: Utc::now(),
        };
        for message in messages {
            columns.users.push(i64::try_from(message.user_id.0)?);
            columns.applications.push(i64::try_from(message.application_id.0)?);
            (columns.message, columns.title) = (message.message, message.title);
        }
        Ok(columns)
    }
}

/// PostgreSQL.
pub(crate) struct BarePostgres {
    connection: PgConnection,
    columns: Columns,
}

impl BarePostgres {
    pub(crate) async fn connect(server: &Server<PgConnectOptions>) -> Result<Self> {
        let columns = Columns::new(server.messages(SENDERS[1]))?;
        Ok(Self { connection: server.options.connect().await?, columns })
    }
}

impl Bare for BarePostgres {
    async fn store(&mut self, count: usize) -> Result<()> {
        let (Columns { users, applications, message, title, date }, connection) =
            (&self.columns, &mut self.connection);
        let (users, applications) = (&users[..count], &applications[..count]);
        let lock = format!("BEGIN; {}", locking(users));
        sqlx::raw_sql(AssertSqlSafe(lock)).fetch_all(&mut *connection).await?;
        let senders = "SELECT id, user_id, NULL::bigint FROM applications WHERE id = ANY($1) UNION ALL \
            SELECT NULL, NULL, nextval(pg_get_serial_sequence('messages', 'id')) FROM generate_series(1, $2)";
        let senders = sqlx::query(senders).bind(applications).bind(i64::try_from(count)?);
        let senders = senders.fetch_all(&mut *connection).await?;
        let ids: Vec<i64> = senders.iter().filter_map(|row| row.get::<Option<i64>, _>(2)).collect();
        let insert = "INSERT INTO messages (id, application_id, message, title, priority, extras, date) \
            SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::bytea[], \
            $7::timestamptz[])";
        sqlx::query(insert)
            .bind(&ids)
            .bind(applications)
            .bind(vec![message.as_str(); count])
            .bind(vec![title.as_str(); count])
            .bind(vec![5_i64; count])
            .bind(vec![None::<&[u8]>; count])
            .bind(vec![*date; count])
            .execute(&mut *connection)
            .await?;
        let raise = raising(
            users.iter().zip(&ids),
            "clock_timestamp()",
            "ON CONFLICT (user_id) DO UPDATE SET newest = greatest(shardcast_heads.newest, excluded.newest), \
             moved_at = excluded.moved_at",
        );
        connection.execute(AssertSqlSafe(raise)).await?;
        Ok(())
    }
}

/// MariaDB or MySQL.
pub(crate) struct BareMysql {
    connection: MySqlConnection,
    columns: Columns,
}

impl BareMysql {
    pub(crate) async fn connect(server: &Server<MySqlConnectOptions>) -> Result<Self> {
        let columns = Columns::new(server.messages(SENDERS[1]))?;
        let mut connection = server.options.connect().await?;
        connection.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED").await?;
        Ok(Self { connection, columns })
    }
}

/// Locks the heads of users.
fn locking(users: &[i64]) -> String {
    let users = users.iter().map(i64::to_string).collect::<Vec<_>>().join(",");
    format!(
        "SELECT user_id, newest FROM shardcast_heads WHERE user_id IN ({users}) ORDER BY user_id FOR UPDATE"
    )
}

/// Raises the heads of users, and commits.
fn raising(heads: impl Iterator<Item = (impl Display, impl Display)>, time: &str, raise: &str) -> String {
    let heads = heads.map(|(user, newest)| format!("({user},{newest},{time})")).collect::<Vec<_>>().join(",");
    format!("INSERT INTO shardcast_heads (user_id, newest, moved_at) VALUES {heads} {raise}; COMMIT")
}

/// So many places for values.
fn places(place: &str, count: usize) -> String {
    vec![place; count].join(",")
}

impl Bare for BareMysql {
    async fn store(&mut self, count: usize) -> Result<()> {
        let (Columns { users, applications, message, title, date }, connection) =
            (&self.columns, &mut self.connection);
        let date = date.naive_utc();
        let list = count.next_power_of_two();
        let padded = |ids: &[i64]| (0..list).map(|place| ids[place.min(count - 1)]).collect::<Vec<_>>();
        let users = &users[..count];
        let lock = format!("START TRANSACTION; {}", locking(users));
        sqlx::raw_sql(AssertSqlSafe(lock)).fetch_all(&mut *connection).await?;
        let senders = format!(
            "SELECT id, user_id, NULL FROM applications WHERE id IN ({}) \
             UNION ALL SELECT NULL, NULL, @@auto_increment_increment",
            places("?", list)
        );
        let senders = padded(applications)
            .into_iter()
            .fold(sqlx::query(AssertSqlSafe(senders)), sqlx::query::Query::bind);
        senders.fetch_all(&mut *connection).await?;
        let insert = format!(
            "INSERT INTO messages (application_id, message, title, priority, extras, date) VALUES {}",
            places("(?,?,?,?,?,?)", count)
        );
        let mut insert = sqlx::query(AssertSqlSafe(insert));
        for application in &applications[..count] {
            insert =
                insert.bind(application).bind(message).bind(title).bind(5_i64).bind(None::<&[u8]>).bind(date);
        }
        let first = i64::try_from(insert.execute(&mut *connection).await?.last_insert_id())?;
        let raise = raising(
            users.iter().zip(first..),
            "utc_timestamp(3)",
            "ON DUPLICATE KEY UPDATE newest = greatest(newest, VALUES(newest)), moved_at = VALUES(moved_at)",
        );
        connection.execute(AssertSqlSafe(raise)).await?;
        Ok(())
    }
}
