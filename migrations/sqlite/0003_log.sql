-- What was revoked, for each server that runs on the file. `written_at` is in milliseconds since 1970. Run at every start,
-- and by commands.

CREATE TABLE IF NOT EXISTS shardcast_log (
    id integer PRIMARY KEY AUTOINCREMENT,
    written_at integer NOT NULL,
    kind text NOT NULL,
    payload text NOT NULL
);
