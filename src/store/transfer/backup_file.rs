//! The file of a backup, for databases of all kinds.
//!
//! It is text in UTF-8; each line is a JSON value:
//!
//! ```text
//! {"format":"shardcast backup","version":1,"made_by":"0.1.0","made_at":"2026-11-29T22:00:00+01:00"}
//! {"table":"users","columns":["id","name","pass","admin","created_at","oidc_id"],"last_id":3}
//! [1,"admin","JDJhJDEw…",true,"2026-11-23T19:26:10.123+01:00",null]
//! {"table":"applications",…}
//! …
//! {"picture":"ZXoF…png","content":"iVBORw0KGgo…"}
//! {"end":{"rows":{"users":{"rows":1,"ids":1},…},"pictures":1,"sha256":"9f86d0…"}}
//! ```
//!
//! Tables come in a fixed order, rows in the order of ids. Bytes are in base64, times as in RFC 3339. `last_id` is the
//! highest id that was given, also to a row that was deleted. The last line counts everything, and has the SHA-256 of
//! all bytes before it. A reader refuses what it does not know: another version, a table, a column.

mod line;
mod reader;
mod writer;

pub(super) use reader::BackupReader;
pub(super) use writer::BackupWriter;

/// What the first line says.
const FORMAT: &str = "shardcast backup";

/// The version of the format that is written, and the only one that is read.
const VERSION: u64 = 1;
