-- Gotify's tables, as its own migration makes them, then ours. A database that Gotify made keeps the tables it has.
-- A table that is missing is made, and a column that a table lacks is added as it stands here: one
-- column in each line. Texts are compared byte by byte; `/*M!` is for MariaDB alone, `/*!80017` for MySQL alone.

CREATE TABLE users (
    id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
    name varchar(180),
    pass longblob,
    admin tinyint(1),
    created_at datetime(3),
    oidc_id text
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4
/*M!100200 COLLATE=utf8mb4_nopad_bin */ /*!80017 COLLATE=utf8mb4_0900_bin */;

CREATE TABLE applications (
    id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
    token varchar(180),
    user_id bigint unsigned,
    name text,
    description text,
    internal tinyint(1),
    image text,
    default_priority bigint,
    created_at datetime(3),
    last_used datetime(3),
    sort_key longblob,
    read_up_to bigint unsigned,
    keep_days bigint,
    keep_newest bigint
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4
/*M!100200 COLLATE=utf8mb4_nopad_bin */ /*!80017 COLLATE=utf8mb4_0900_bin */;

CREATE TABLE messages (
    id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
    application_id bigint unsigned,
    message text,
    title text,
    priority bigint,
    extras longblob,
    date datetime(3)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4
/*M!100200 COLLATE=utf8mb4_nopad_bin */ /*!80017 COLLATE=utf8mb4_0900_bin */;

CREATE TABLE clients (
    id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
    token varchar(180),
    user_id bigint unsigned,
    name text,
    created_at datetime(3),
    last_used datetime(3),
    elevated_until datetime(3),
    expires_after_inactivity_seconds bigint unsigned NOT NULL DEFAULT 0,
    expires_at datetime(3),
    replay bigint,
    acknowledged bigint unsigned
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4
/*M!100200 COLLATE=utf8mb4_nopad_bin */ /*!80017 COLLATE=utf8mb4_0900_bin */;

CREATE TABLE plugin_confs (
    id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
    user_id bigint unsigned,
    module_path text,
    token varchar(180),
    application_id bigint unsigned,
    enabled tinyint(1),
    created_at datetime(3),
    config longblob,
    storage longblob
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4
/*M!100200 COLLATE=utf8mb4_nopad_bin */ /*!80017 COLLATE=utf8mb4_0900_bin */;

-- The newest message of each user.
CREATE TABLE shardcast_heads (
    user_id bigint unsigned NOT NULL PRIMARY KEY,
    newest bigint unsigned NOT NULL,
    moved_at datetime(3) NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4
/*M!100200 COLLATE=utf8mb4_nopad_bin */ /*!80017 COLLATE=utf8mb4_0900_bin */;

-- One row: the version of the tables whose names begin with `shardcast_`.
CREATE TABLE shardcast_state (
    id bigint NOT NULL PRIMARY KEY,
    version bigint NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4
/*M!100200 COLLATE=utf8mb4_nopad_bin */ /*!80017 COLLATE=utf8mb4_0900_bin */;

-- Keys that all nodes share, by name. They are made up by whoever needs one first.
CREATE TABLE shardcast_keys (
    name varchar(180) NOT NULL PRIMARY KEY,
    content longblob NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4
/*M!100200 COLLATE=utf8mb4_nopad_bin */ /*!80017 COLLATE=utf8mb4_0900_bin */;

-- Logins through an identity provider that were ended lately, so that none is ended twice. `ended_at` is in milliseconds
-- since 1970.
CREATE TABLE shardcast_logins (
    id varchar(180) NOT NULL PRIMARY KEY,
    ended_at bigint NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4
/*M!100200 COLLATE=utf8mb4_nopad_bin */ /*!80017 COLLATE=utf8mb4_0900_bin */;

-- The applications' pictures, where the configuration says that the database keeps them.
CREATE TABLE shardcast_images (
    name varchar(255) NOT NULL PRIMARY KEY,
    content longblob NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4
/*M!100200 COLLATE=utf8mb4_nopad_bin */ /*!80017 COLLATE=utf8mb4_0900_bin */;

-- The key that names this server to push services. One row: all subscriptions are made for it, so it is moved with them.
CREATE TABLE shardcast_push_keys (
    id bigint unsigned NOT NULL PRIMARY KEY,
    content longblob NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4
/*M!100200 COLLATE=utf8mb4_nopad_bin */ /*!80017 COLLATE=utf8mb4_0900_bin */;

-- The index of the search, in segments; `src/store/sql/search.rs` says what they are.
CREATE TABLE shardcast_search_segments (
    id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
    user_id bigint unsigned NOT NULL,
    after_id bigint unsigned NOT NULL,
    last_id bigint unsigned NOT NULL,
    messages bigint NOT NULL,
    bytes bigint NOT NULL,
    directory longblob NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4
/*M!100200 COLLATE=utf8mb4_nopad_bin */ /*!80017 COLLATE=utf8mb4_0900_bin */;

CREATE TABLE shardcast_search_words (
    id bigint unsigned NOT NULL PRIMARY KEY,
    words longblob NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4
/*M!100200 COLLATE=utf8mb4_nopad_bin */ /*!80017 COLLATE=utf8mb4_0900_bin */;
