//! The schema: what a database must have, what of that is missing, and how it is made.
//!
//! A Gotify may have had the database since the last start, added columns and rebuilt tables. So each start looks at
//! what is there, and makes what is missing.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::time::Instant;

use super::{Dialect, Session, Value, application_states, applications, query};
use crate::model::{Timestamp, UserId};
use crate::store::MigrationStep;

/// What a kind of database must have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schema {
    /// A statement for each table, with one column in each line.
    pub(crate) tables: &'static str,
    /// The statements that make the tables which commands need, unless they are there: the log of what was revoked, the
    /// push subscriptions, which go with their clients, and the keys of messages, which go with those.
    pub(crate) for_commands: &'static str,
    /// A statement for each index, which names the index and then its table.
    pub(crate) indexes: &'static str,
    /// Returns each column: its table, its name, and whether every row must be given a value.
    pub(crate) list_columns: &'static str,
    /// Returns the name of each index.
    pub(crate) list_indexes: &'static str,
}

/// The version of what is ours in a database. A database that has a higher one is left alone.
pub(crate) const VERSION: i64 = 1;

/// The tables that every Gotify has had, and columns without which they can't be used.
const OF_GOTIFY: [(&str, &[&str]); 4] = [
    ("users", &["id", "name", "pass", "admin"]),
    ("applications", &["id", "token", "user_id", "name"]),
    ("clients", &["id", "token", "user_id", "name"]),
    ("messages", &["id", "application_id", "message"]),
];

/// The tables whose rows say when they were made.
const DATED_TABLES: [&str; 3] = ["users", "applications", "clients"];

/// The applications that a Gotify before 2.9 has made.
const WITHOUT_SORT_KEY: &str = "sort_key IS NULL OR octet_length(sort_key) = 0";

/// From so many rows on, an index that is made is logged.
const LARGE_TABLE: u64 = 10_000;

/// The columns of each table, and whether every row must be given a value.
#[derive(Debug, Default)]
pub(crate) struct Columns(BTreeMap<String, BTreeMap<String, bool>>);

/// Why the tables of a database can't be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnknownTables {
    #[error("{0}")]
    OfAnotherProgram(String),
    #[error("its column `{table}.{column}` needs a value that is not known here")]
    OfNewerGotify { table: String, column: String },
}

impl Columns {
    /// Reads them.
    pub(crate) async fn of<D: Dialect>(
        session: &mut Session<'_, D>,
        schema: &Schema,
    ) -> Result<Self, sqlx::Error> {
        let mut columns = BTreeMap::<String, BTreeMap<String, bool>>::new();
        for row in session.all(query(schema.list_columns)).await? {
            columns.entry(row.text(0)?).or_default().insert(row.text(1)?, row.flag(2)?);
        }
        Ok(Self(columns))
    }

    pub(crate) fn has_table(&self, table: &str) -> bool {
        self.0.contains_key(table)
    }

    /// Whether the tables of a Gotify are there, and one that commands need is not.
    pub(crate) fn lacks_what_commands_need(&self) -> bool {
        let needed = ["shardcast_log", "shardcast_push", "shardcast_keyed"];
        self.has("users", "pass") && !needed.into_iter().all(|table| self.has_table(table))
    }

    fn has(&self, table: &str, column: &str) -> bool {
        self.0.get(table).is_some_and(|columns| columns.contains_key(column))
    }

    /// Looks whether these are the tables of a Gotify that is known, or our own, or none.
    pub(crate) fn verify(&self, schema: &Schema) -> Result<(), UnknownTables> {
        if !self.0.is_empty() && !self.has_table("users") {
            return Err(UnknownTables::OfAnotherProgram("it has no table `users`".to_owned()));
        }
        for (table, required) in OF_GOTIFY {
            let Some(found) = self.0.get(table) else { continue };
            if let Some(column) = required.iter().find(|column| !found.contains_key(**column)) {
                let missing = format!("its table `{table}` has no column `{column}`");
                return Err(UnknownTables::OfAnotherProgram(missing));
            }
            let is_known = |name: &str| schema.columns(table).any(|(column, _)| column == name);
            let unknown = found.iter().find(|(column, is_required)| **is_required && !is_known(column));
            if let Some((column, _)) = unknown {
                return Err(UnknownTables::OfNewerGotify { table: table.to_owned(), column: column.clone() });
            }
        }
        Ok(())
    }
}

/// A change that is missing, and how it is made.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) shown: MigrationStep,
    change: Change,
}

#[derive(Debug)]
enum Change {
    Statement(Cow<'static, str>),
    FillDates(&'static str),
    FillSortKeys,
    FillReadMarks,
}

impl Schema {
    /// Returns each table, and the statement that makes it.
    fn tables(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        statements(self.tables).chain(statements(self.for_commands)).filter_map(|statement| {
            let name = statement.strip_prefix("CREATE TABLE ")?.trim_start_matches("IF NOT EXISTS ");
            let name = name.split_whitespace().next()?;
            Some((name, statement))
        })
    }

    /// Returns the columns of a table: their names, and what follows those.
    fn columns(&self, table: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
        let found = self.tables().find(|(name, _)| *name == table);
        let lines = found.map_or("", |(_, statement)| statement).lines();
        lines
            .filter_map(|line| line.strip_prefix("    ")?.trim_end_matches(',').split_once(' '))
            .filter(|(name, _)| name.starts_with(|first: char| first.is_ascii_lowercase()))
    }

    /// Returns what is missing, in the order in which it is made.
    pub(crate) async fn missing<D: Dialect>(
        &self,
        session: &mut Session<'_, D>,
        there: &Columns,
    ) -> Result<Vec<Step>, sqlx::Error> {
        let mut steps = Vec::new();
        let mut add = |shown, change| steps.push(Step { shown, change });
        for (table, statement) in self.tables() {
            if !there.has_table(table) {
                let shown = MigrationStep::MakeTable { table: table.to_owned() };
                add(shown, Change::Statement(statement.into()));
                continue;
            }
            for (column, kind) in self.columns(table).filter(|(column, _)| !there.has(table, column)) {
                let shown = MigrationStep::AddColumn { table: table.to_owned(), column: column.to_owned() };
                let statement = format!("ALTER TABLE {table} ADD COLUMN {column} {kind}");
                add(shown, Change::Statement(statement.into()));
            }
        }
        for table in DATED_TABLES.into_iter().filter(|table| there.has_table(table)) {
            let condition = if there.has(table, "created_at") { "created_at IS NULL" } else { "1 = 1" };
            let rows = count(session, table, condition).await?;
            if rows > 0 {
                add(MigrationStep::FillDates { table: table.to_owned(), rows }, Change::FillDates(table));
            }
        }
        if there.has_table("applications") {
            let condition = if there.has("applications", "sort_key") { WITHOUT_SORT_KEY } else { "1 = 1" };
            let rows = count(session, "applications", condition).await?;
            if rows > 0 {
                add(MigrationStep::FillSortKeys { rows }, Change::FillSortKeys);
            }
        }
        let indexes = session.all(query(self.list_indexes)).await?;
        let indexes: HashSet<_> = indexes.iter().map(|row| row.text(0)).collect::<Result<_, _>>()?;
        for statement in statements(self.indexes) {
            let mut words = statement.split_whitespace().skip_while(|word| *word != "INDEX").skip(1);
            let (Some(index), Some(table)) = (words.next(), words.nth(1)) else { continue };
            if indexes.contains(index) {
                continue;
            }
            let rows = if there.has_table(table) { count(session, table, "1 = 1").await? } else { 0 };
            let shown = MigrationStep::MakeIndex { index: index.to_owned(), table: table.to_owned(), rows };
            add(shown, Change::Statement(statement.into()));
        }
        // By the index of the messages, which is there by then.
        if there.has_table("applications") {
            let condition =
                if there.has("applications", "read_up_to") { "read_up_to IS NULL" } else { "1 = 1" };
            let rows = count(session, "applications", condition).await?;
            if rows > 0 {
                add(MigrationStep::FillReadMarks { rows }, Change::FillReadMarks);
            }
        }
        Ok(steps)
    }
}

impl Step {
    /// Makes the change. `now` dates the rows that have no date.
    pub(crate) async fn run<D: Dialect>(
        self,
        session: &mut Session<'_, D>,
        now: Timestamp,
    ) -> Result<(), sqlx::Error> {
        let began_at = Instant::now();
        let is_slow = matches!(self.shown, MigrationStep::MakeIndex { rows, .. } if rows >= LARGE_TABLE);
        if is_slow {
            tracing::info!("begins to {}; the server listens when that is done", self.shown);
        }
        match self.change {
            Change::Statement(statement) => drop(session.run(query(&statement)).await?),
            Change::FillDates(table) => {
                let fill = format!("UPDATE {table} SET created_at = ? WHERE created_at IS NULL");
                session.run(query(&fill).bind(now)).await?;
            }
            Change::FillSortKeys => fill_sort_keys(session).await?,
            Change::FillReadMarks => application_states::fill_read_marks(session).await?,
        }
        if is_slow {
            tracing::info!("it took {:.1} s to {}", began_at.elapsed().as_secs_f64(), self.shown);
        } else {
            tracing::debug!("did {}", self.shown);
        }
        Ok(())
    }
}

/// Gives every application without a sort key the next one of its user, in the order of ids.
async fn fill_sort_keys<D: Dialect>(session: &mut Session<'_, D>) -> Result<(), sqlx::Error> {
    let without = format!("SELECT id, user_id FROM applications WHERE {WITHOUT_SORT_KEY} ORDER BY id");
    for row in session.all(query(&without)).await? {
        let key = applications::next_sort_key(session, UserId(row.unsigned(1)?)).await?;
        let fill = query("UPDATE applications SET sort_key = ? WHERE id = ?");
        session.run(fill.bind(Value::SortKey(&key)).id(row.unsigned(0)?)).await?;
    }
    Ok(())
}

async fn count<D: Dialect>(
    session: &mut Session<'_, D>,
    table: &str,
    condition: &str,
) -> Result<u64, sqlx::Error> {
    let text = format!("SELECT count(*) FROM {table} WHERE {condition}");
    session.one(query(&text)).await?.unsigned(0)
}

/// Returns the statements of a file, without the comments before each.
fn statements(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.split(';').filter_map(|part| Some(&part[part.find("CREATE ")?..]))
}
