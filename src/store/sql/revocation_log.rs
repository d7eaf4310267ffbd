//! The log of what was revoked.

use std::time::Duration;

use serde_json::{Map, Value};

use super::{Dialect, Row, Session, query};
use crate::store::{LoggedRevocation, Revocation, RevocationId};

/// Most entries that one statement inserts.
const ENTRIES_PER_STATEMENT: usize = 1000;

/// Writes what the open transaction revokes. It is the last statement before the commit, so that an entry becomes
/// visible soon after it got its id.
pub(crate) async fn write<D: Dialect>(
    session: &mut Session<'_, D>,
    revocations: &[Revocation],
) -> Result<(), sqlx::Error> {
    for some in revocations.chunks(ENTRIES_PER_STATEMENT) {
        let entries: Vec<_> = some.iter().map(encode).collect();
        let places = vec!["({now}, ?, ?)"; entries.len()].join(", ");
        let text = format!("INSERT INTO shardcast_log (written_at, kind, payload) VALUES {places}");
        let mut insertion = query(&text);
        for (kind, payload) in &entries {
            insertion = insertion.bind(kind.as_str()).bind(payload.as_str());
        }
        session.run(insertion).await?;
    }
    Ok(())
}

/// Returns the entries from an id on.
pub(crate) async fn from<D: Dialect>(
    session: &mut Session<'_, D>,
    first: RevocationId,
    limit: usize,
) -> Result<Vec<LoggedRevocation>, sqlx::Error> {
    let list =
        query("SELECT id, written_at, kind, payload FROM shardcast_log WHERE id >= ? ORDER BY id LIMIT ?");
    let found = session.all(list.id(first.0).id(limit as u64)).await?;
    found.iter().map(entry).collect()
}

/// Returns the oldest entry, and the newest one that is older than `age`; `None` if none is.
pub(crate) async fn older_than<D: Dialect>(
    session: &mut Session<'_, D>,
    age: Duration,
) -> Result<Option<[RevocationId; 2]>, sqlx::Error> {
    let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
    let ends = query("SELECT min(id), max(id) FROM shardcast_log WHERE written_at < {now} - ?").bind(age);
    let found = session.one(ends).await?;
    let ends = found.optional_unsigned(0)?.zip(found.optional_unsigned(1)?);
    Ok(ends.map(|(oldest, newest)| [RevocationId(oldest), RevocationId(newest)]))
}

/// Deletes the entries below an id.
pub(crate) async fn delete_below<D: Dialect>(
    session: &mut Session<'_, D>,
    id: RevocationId,
) -> Result<(), sqlx::Error> {
    session.run(query("DELETE FROM shardcast_log WHERE id < ?").id(id.0)).await.map(drop)
}

/// Returns the kind and the payload as the columns hold them.
fn encode(revocation: &Revocation) -> (String, String) {
    match serde_json::to_value(revocation).expect("ids and tokens can be written as JSON") {
        Value::Object(written) => written.into_iter().next(),
        _ => None,
    }
    .map(|(kind, payload)| (kind, payload.to_string()))
    .expect("a revocation is an object with its kind as the only key")
}

fn entry<D: Dialect>(found: &Row<'_, D>) -> Result<LoggedRevocation, sqlx::Error> {
    let id = RevocationId(found.unsigned(0)?);
    let revocation = decode(&found.text(2)?, &found.text(3)?);
    Ok(LoggedRevocation { id, written_at: found.unsigned(1)?, revocation })
}

/// Another version may write what this one does not know.
fn decode(kind: &str, payload: &str) -> Option<Revocation> {
    let payload = serde_json::from_str(payload).ok()?;
    serde_json::from_value(Value::Object(Map::from_iter([(kind.to_owned(), payload)]))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::UserId;

    #[test]
    fn an_entry_reads_back_as_it_was() {
        let deleted = Revocation::UserDeleted {
            user_id: UserId(7),
            client_tokens: vec!["C\u{0}\"é".to_owned()],
            application_tokens: Vec::new(),
        };
        let (kind, payload) = encode(&deleted);
        assert_eq!(kind, "UserDeleted");
        assert_eq!(decode(&kind, &payload), Some(deleted));
    }

    #[test]
    fn what_a_newer_version_has_added_is_passed_over() {
        let payload = r#"{"user_id": 7, "by": "root"}"#;
        let expected = Some(Revocation::UserChanged { user_id: UserId(7) });
        assert_eq!(decode("UserChanged", payload), expected);
        let went_back = Revocation::DatabaseWentBack {};
        let (kind, written) = encode(&went_back);
        assert_eq!(decode(&kind, &written), Some(went_back));
        for (kind, payload) in [("GroupDeleted", payload), ("UserChanged", "{}"), ("UserChanged", "x")] {
            assert_eq!(decode(kind, payload), None, "{kind} {payload}");
        }
    }
}
