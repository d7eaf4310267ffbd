-- As Gotify 2.7.3 makes its tables, on MariaDB 10.11; the dates are the wall clock of Berlin.
CREATE TABLE users (id int unsigned PRIMARY KEY AUTO_INCREMENT, name varchar(180), pass varbinary(255),
    admin tinyint(1), UNIQUE KEY uix_users_id (id), UNIQUE KEY uix_users_name (name)) ENGINE=InnoDB;
CREATE TABLE applications (id int unsigned PRIMARY KEY AUTO_INCREMENT, token varchar(180), user_id int unsigned,
    name text, description text, internal tinyint(1), image text, default_priority int, last_used datetime,
    UNIQUE KEY uix_applications_id (id), UNIQUE KEY uix_applications_token (token),
    KEY idx_applications_user_id (user_id)) ENGINE=InnoDB;
CREATE TABLE messages (id int unsigned PRIMARY KEY AUTO_INCREMENT, application_id int unsigned, message text,
    title text, priority int, extras longblob, date datetime, KEY idx_messages_id (id)) ENGINE=InnoDB;
CREATE TABLE clients (id int unsigned PRIMARY KEY AUTO_INCREMENT, token varchar(180), user_id int unsigned, name text,
    last_used datetime, UNIQUE KEY uix_clients_id (id), UNIQUE KEY uix_clients_token (token),
    KEY idx_clients_user_id (user_id)) ENGINE=InnoDB;
CREATE TABLE plugin_confs (id int unsigned PRIMARY KEY AUTO_INCREMENT, user_id int unsigned, module_path text,
    token varchar(180), application_id int unsigned, enabled tinyint(1), config longblob, storage longblob,
    UNIQUE KEY uix_plugin_confs_token (token)) ENGINE=InnoDB;

INSERT INTO users VALUES (1, 'admin', '$2a$10$hash', 1), (2, 'bob', '', 0);
INSERT INTO applications VALUES (3, 'A3', 1, 'backup', 'nightly', 0, 'x.png', 4, NULL),
    (5, 'A5', 2, 'door', '', 0, '', 0, NULL), (7, 'A7', 1, 'cron', '', 1, '', 0, NULL);
INSERT INTO clients VALUES (4, 'C4', 1, 'phone', NULL);
INSERT INTO messages VALUES (10, 3, 'done', 'backup', 5, '{"a":{"b":1}}', '2026-07-01 12:00:00'),
    (11, 7, 'ran', 'cron', 0, NULL, '2026-01-01 12:00:00');
