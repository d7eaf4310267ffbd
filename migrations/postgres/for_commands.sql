-- The tables that commands need. Run at every start, and by commands.

-- What was revoked, for each server that runs on the database. `written_at` is in milliseconds since 1970.
CREATE TABLE IF NOT EXISTS shardcast_log (
    id bigserial PRIMARY KEY,
    written_at bigint NOT NULL,
    kind text NOT NULL,
    payload text NOT NULL
);

-- Where clients get push messages: their push services' endpoints, and the keys that messages are encrypted with. `id` is
-- that of the client.
CREATE TABLE IF NOT EXISTS shardcast_push (
    id bigint PRIMARY KEY,
    endpoint text NOT NULL,
    p256dh bytea NOT NULL,
    auth bytea NOT NULL,
    min_priority bigint NOT NULL
);

-- The messages that have a key, of which an application keeps only the newest. `id` is that of the message.
CREATE TABLE IF NOT EXISTS shardcast_keyed (
    id bigint NOT NULL PRIMARY KEY,
    application_id bigint NOT NULL,
    replace_key varchar(180) NOT NULL
);
