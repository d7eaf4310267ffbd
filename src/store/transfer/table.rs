//! The tables whose rows are moved, with their columns: those of Gotify, our own columns in them, and of our own tables
//! those of push subscriptions, and that of messages' keys. The others are made anew by whoever opens the database.

/// A table.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    /// The first one is `id`.
    pub(crate) columns: &'static [Column],
}

/// A column.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Integer,
    /// A number that is 0 where a database has none.
    Count,
    Flag,
    /// A text that servers keep in a `varchar(180)`.
    ShortText,
    Text,
    Bytes,
    /// Text that servers keep as bytes.
    SortKey,
    Time,
}

/// The place of the messages in [`TABLES`].
pub(crate) const MESSAGES: usize = TABLES.len() - 1;

/// Each table is written after those that its rows refer to. The messages, of which there are many, come last.
pub(crate) static TABLES: [Table; 8] = [
    Table {
        name: "users",
        columns: &[
            column("id", Kind::Integer),
            column("name", Kind::ShortText),
            column("pass", Kind::Bytes),
            column("admin", Kind::Flag),
            column("created_at", Kind::Time),
            column("oidc_id", Kind::Text),
        ],
    },
    Table {
        name: "applications",
        columns: &[
            column("id", Kind::Integer),
            column("token", Kind::ShortText),
            column("user_id", Kind::Integer),
            column("name", Kind::Text),
            column("description", Kind::Text),
            column("internal", Kind::Flag),
            column("image", Kind::Text),
            column("default_priority", Kind::Integer),
            column("created_at", Kind::Time),
            column("last_used", Kind::Time),
            column("sort_key", Kind::SortKey),
            column("read_up_to", Kind::Integer),
            column("keep_days", Kind::Integer),
            column("keep_newest", Kind::Integer),
        ],
    },
    Table {
        name: "clients",
        columns: &[
            column("id", Kind::Integer),
            column("token", Kind::ShortText),
            column("user_id", Kind::Integer),
            column("name", Kind::Text),
            column("created_at", Kind::Time),
            column("last_used", Kind::Time),
            column("elevated_until", Kind::Time),
            column("expires_after_inactivity_seconds", Kind::Count),
            column("expires_at", Kind::Time),
            column("replay", Kind::Integer),
            column("acknowledged", Kind::Integer),
        ],
    },
    Table {
        name: "shardcast_push",
        columns: &[
            column("id", Kind::Integer),
            column("endpoint", Kind::Text),
            column("p256dh", Kind::Bytes),
            column("auth", Kind::Bytes),
            column("min_priority", Kind::Integer),
        ],
    },
    Table {
        name: "shardcast_push_keys",
        columns: &[column("id", Kind::Integer), column("content", Kind::Bytes)],
    },
    Table {
        name: "plugin_confs",
        columns: &[
            column("id", Kind::Integer),
            column("user_id", Kind::Integer),
            column("module_path", Kind::Text),
            column("token", Kind::ShortText),
            column("application_id", Kind::Integer),
            column("enabled", Kind::Flag),
            column("created_at", Kind::Time),
            column("config", Kind::Bytes),
            column("storage", Kind::Bytes),
        ],
    },
    Table {
        name: "shardcast_keyed",
        columns: &[
            column("id", Kind::Integer),
            column("application_id", Kind::Integer),
            column("replace_key", Kind::ShortText),
        ],
    },
    Table {
        name: "messages",
        columns: &[
            column("id", Kind::Integer),
            column("application_id", Kind::Integer),
            column("message", Kind::Text),
            column("title", Kind::Text),
            column("priority", Kind::Integer),
            column("extras", Kind::Bytes),
            column("date", Kind::Time),
        ],
    },
];

const fn column(name: &'static str, kind: Kind) -> Column {
    Column { name, kind }
}

impl Table {
    /// Returns the names of all columns, separated by commas.
    pub(crate) fn column_names(&self) -> String {
        self.columns.iter().map(|column| column.name).collect::<Vec<_>>().join(", ")
    }
}
