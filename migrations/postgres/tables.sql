-- Gotify's tables, as its own migration makes them, then ours. A database that Gotify made keeps the tables it has.
-- A table that is missing is made, and a column that a table lacks is added as it stands here: one
-- column in each line.

CREATE TABLE users (
    id bigserial PRIMARY KEY,
    name varchar(180),
    pass bytea,
    admin boolean,
    created_at timestamptz,
    oidc_id text
);

CREATE TABLE applications (
    id bigserial PRIMARY KEY,
    token varchar(180),
    user_id bigint,
    name text,
    description text,
    internal boolean,
    image text,
    default_priority bigint,
    created_at timestamptz,
    last_used timestamptz,
    sort_key bytea,
    read_up_to bigint,
    keep_days bigint,
    keep_newest bigint
);

CREATE TABLE messages (
    id bigserial PRIMARY KEY,
    application_id bigint,
    message text,
    title text,
    priority bigint,
    extras bytea,
    date timestamptz
);

CREATE TABLE clients (
    id bigserial PRIMARY KEY,
    token varchar(180),
    user_id bigint,
    name text,
    created_at timestamptz,
    last_used timestamptz,
    elevated_until timestamptz,
    expires_after_inactivity_seconds bigint NOT NULL DEFAULT 0,
    expires_at timestamptz,
    replay bigint,
    acknowledged bigint
);

CREATE TABLE plugin_confs (
    id bigserial PRIMARY KEY,
    user_id bigint,
    module_path text,
    token varchar(180),
    application_id bigint,
    enabled boolean,
    created_at timestamptz,
    config bytea,
    storage bytea
);

-- The newest message of each user.
CREATE TABLE shardcast_heads (
    user_id bigint PRIMARY KEY,
    newest bigint NOT NULL,
    moved_at timestamptz NOT NULL
);

-- One row: the version of the tables whose names begin with `shardcast_`.
CREATE TABLE shardcast_state (
    id bigint PRIMARY KEY,
    version bigint NOT NULL
);

-- Keys that all nodes share, by name. They are made up by whoever needs one first.
CREATE TABLE shardcast_keys (
    name varchar(180) NOT NULL PRIMARY KEY,
    content bytea NOT NULL
);

-- Logins through an identity provider that were ended lately, so that none is ended twice. `ended_at` is in milliseconds
-- since 1970.
CREATE TABLE shardcast_logins (
    id varchar(180) NOT NULL PRIMARY KEY,
    ended_at bigint NOT NULL
);

-- The applications' pictures, where the configuration says that the database keeps them.
CREATE TABLE shardcast_images (
    name varchar(255) NOT NULL PRIMARY KEY,
    content bytea NOT NULL
);

-- The key that names this server to push services. One row: all subscriptions are made for it, so it is moved with them.
CREATE TABLE shardcast_push_keys (
    id bigint PRIMARY KEY,
    content bytea NOT NULL
);

-- The index of the search, in segments; `src/store/sql/search.rs` says what they are.
CREATE TABLE shardcast_search_segments (
    id bigserial PRIMARY KEY,
    user_id bigint NOT NULL,
    after_id bigint NOT NULL,
    last_id bigint NOT NULL,
    messages bigint NOT NULL,
    bytes bigint NOT NULL,
    directory bytea NOT NULL
);

CREATE TABLE shardcast_search_words (
    id bigint NOT NULL PRIMARY KEY,
    words bytea NOT NULL
);
