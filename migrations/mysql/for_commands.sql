-- The tables that commands need. Run at every start, and by commands. `/*M!` is for MariaDB alone, `/*!80017` for MySQL
-- alone.

-- What was revoked, for each server that runs on the database. `written_at` is in milliseconds since 1970.
CREATE TABLE IF NOT EXISTS shardcast_log (
    id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
    written_at bigint NOT NULL,
    kind varchar(180) NOT NULL,
    payload longtext NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4
/*M!100200 COLLATE=utf8mb4_nopad_bin */ /*!80017 COLLATE=utf8mb4_0900_bin */;

-- Where clients get push messages: their push services' endpoints, and the keys that messages are encrypted with. `id` is
-- that of the client.
CREATE TABLE IF NOT EXISTS shardcast_push (
    id bigint unsigned NOT NULL PRIMARY KEY,
    endpoint text NOT NULL,
    p256dh longblob NOT NULL,
    auth longblob NOT NULL,
    min_priority bigint NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4
/*M!100200 COLLATE=utf8mb4_nopad_bin */ /*!80017 COLLATE=utf8mb4_0900_bin */;

-- The messages that have a key, of which an application keeps only the newest. `id` is that of the message.
CREATE TABLE IF NOT EXISTS shardcast_keyed (
    id bigint unsigned NOT NULL PRIMARY KEY,
    application_id bigint unsigned NOT NULL,
    replace_key varchar(180) NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4
/*M!100200 COLLATE=utf8mb4_nopad_bin */ /*!80017 COLLATE=utf8mb4_0900_bin */;
