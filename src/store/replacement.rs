//! Messages that take the place of older ones: of an application's messages with the same key only the newest is kept.

use crate::model::{Extras, MessageId, UserId};

/// The name in extras that holds the key, as in `{"shardcast::replace": {"key": "backup"}}`.
pub(crate) const EXTRA: &str = "shardcast::replace";

/// How many characters a key may have.
const MOST_CHARACTERS: usize = 180;

/// A message that has taken the place of older ones in the same transaction that stored it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replacement {
    /// Whose messages they are.
    pub user_id: UserId,
    /// The message that is kept.
    pub id: MessageId,
    /// Those that were deleted, in the order of ids. Some may have been deleted before.
    pub replaced: Vec<MessageId>,
}

/// Extras that ask for a replacement in a way that is not understood.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{EXTRA}' must be an object with a text of 1 to {MOST_CHARACTERS} characters as 'key', not {found}")]
pub(crate) struct InvalidReplaceKey {
    found: String,
}

/// Returns the key that extras have, if they have one. A key has no NUL: PostgreSQL can't hold it.
pub(crate) fn replace_key(extras: Option<&Extras>) -> Result<Option<&str>, InvalidReplaceKey> {
    let Some(asked) = extras.and_then(|extras| extras.get(EXTRA)) else { return Ok(None) };
    let key = asked.get("key").and_then(|key| key.as_str());
    let is_valid =
        |key: &&str| !key.is_empty() && !key.contains('\0') && key.chars().count() <= MOST_CHARACTERS;
    match key.filter(is_valid) {
        Some(key) => Ok(Some(key)),
        None => Err(InvalidReplaceKey { found: asked.to_string().chars().take(200).collect() }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(asked: Value) -> Result<Option<String>, String> {
        let extras = Extras::from_iter([(EXTRA.to_owned(), asked)]);
        let key = replace_key(Some(&extras));
        key.map(|key| key.map(str::to_owned)).map_err(|error| error.to_string())
    }

    #[test]
    fn a_key_is_a_text_that_every_database_holds() {
        let long = "ü".repeat(180);
        for key in ["a", " ", "Ü/🦀\n", &long] {
            assert_eq!(read(json!({ "key": key, "more": 1 })), Ok(Some(key.to_owned())));
        }
        let longer = "ü".repeat(181);
        for asked in [
            json!({ "key": "" }),
            json!({ "key": longer }),
            json!({ "key": "a\u{0}" }),
            json!({ "key": 5 }),
            json!({}),
            json!("backup"),
            json!(null),
        ] {
            assert!(read(asked.clone()).is_err(), "{asked}");
        }
        assert_eq!(
            read(json!({ "key": 5 })).unwrap_err(),
            "'shardcast::replace' must be an object with a text of 1 to 180 characters as 'key', not {\"key\":5}"
        );
        assert_eq!(replace_key(None), Ok(None));
        assert_eq!(replace_key(Some(&Extras::new())), Ok(None));
    }
}
