-- The tables that commands need. Run at every start, and by commands.

-- What was revoked, for each server that runs on the file. `written_at` is in milliseconds since 1970.
CREATE TABLE IF NOT EXISTS shardcast_log (
    id integer PRIMARY KEY AUTOINCREMENT,
    written_at integer NOT NULL,
    kind text NOT NULL,
    payload text NOT NULL
);

-- Where clients get push messages: their push services' endpoints, and the keys that messages are encrypted with. `id` is
-- that of the client.
CREATE TABLE IF NOT EXISTS shardcast_push (
    id integer PRIMARY KEY,
    endpoint text NOT NULL,
    p256dh blob NOT NULL,
    auth blob NOT NULL,
    min_priority integer NOT NULL
);

-- The messages that have a key, of which an application keeps only the newest. `id` is that of the message.
CREATE TABLE IF NOT EXISTS shardcast_keyed (
    id integer NOT NULL PRIMARY KEY,
    application_id integer NOT NULL,
    replace_key varchar(180) NOT NULL
);
