-- What was revoked, for each server that runs on the database. `written_at` is in milliseconds since 1970. Run at every
-- start, and by commands.

CREATE TABLE IF NOT EXISTS shardcast_log (
    id bigserial PRIMARY KEY,
    written_at bigint NOT NULL,
    kind text NOT NULL,
    payload text NOT NULL
);
