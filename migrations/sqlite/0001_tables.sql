-- Gotify's tables, as its own migration makes them. A file that Gotify made keeps the tables it has.
-- A table that is missing is made, and a column that a table lacks is added as it stands here: one
-- column in each line.

CREATE TABLE users (
    id integer PRIMARY KEY AUTOINCREMENT,
    name varchar(180),
    pass blob,
    admin numeric,
    created_at datetime,
    oidc_id text
);

CREATE TABLE applications (
    id integer PRIMARY KEY AUTOINCREMENT,
    token varchar(180),
    user_id integer,
    name text,
    description text,
    internal numeric,
    image text,
    default_priority integer,
    created_at datetime,
    last_used datetime,
    sort_key blob,
    read_up_to integer,
    keep_days integer,
    keep_newest integer
);

CREATE TABLE messages (
    id integer PRIMARY KEY AUTOINCREMENT,
    application_id integer,
    message text,
    title text,
    priority integer,
    extras blob,
    date datetime
);

CREATE TABLE clients (
    id integer PRIMARY KEY AUTOINCREMENT,
    token varchar(180),
    user_id integer,
    name text,
    created_at datetime,
    last_used datetime,
    elevated_until datetime,
    expires_after_inactivity_seconds integer DEFAULT 0,
    expires_at datetime,
    replay integer,
    acknowledged integer
);

CREATE TABLE plugin_confs (
    id integer PRIMARY KEY AUTOINCREMENT,
    user_id integer,
    module_path text,
    token varchar(180),
    application_id integer,
    enabled numeric,
    created_at datetime,
    config blob,
    storage blob
);

-- Ours: keys, by name. They are made up by whoever needs one first.
CREATE TABLE shardcast_keys (
    name varchar(180) NOT NULL PRIMARY KEY,
    content blob NOT NULL
);

-- Ours: logins through an identity provider that were ended lately, so that none is ended twice. `ended_at` is in
-- milliseconds since 1970.
CREATE TABLE shardcast_logins (
    id varchar(180) NOT NULL PRIMARY KEY,
    ended_at integer NOT NULL
);

-- Ours: the applications' pictures, where the configuration says that the database keeps them.
CREATE TABLE shardcast_images (
    name varchar(255) NOT NULL PRIMARY KEY,
    content blob NOT NULL
);

-- Ours: The key that names this server to push services. One row: all subscriptions are made for it, so it is moved with them.
CREATE TABLE shardcast_push_keys (
    id integer PRIMARY KEY,
    content blob NOT NULL
);

-- Ours: the index of the search, in segments; `src/store/sql/search.rs` says what they are.
CREATE TABLE shardcast_search_segments (
    id integer PRIMARY KEY AUTOINCREMENT,
    user_id integer NOT NULL,
    after_id integer NOT NULL,
    last_id integer NOT NULL,
    messages integer NOT NULL,
    bytes integer NOT NULL,
    directory blob NOT NULL
);

CREATE TABLE shardcast_search_words (
    id integer NOT NULL PRIMARY KEY,
    words blob NOT NULL
);
