-- As Gotify 2.7.3 makes its tables, on PostgreSQL 15.
CREATE TABLE users (id serial PRIMARY KEY, name varchar(180), pass bytea, admin boolean);
CREATE UNIQUE INDEX uix_users_id ON users (id);
CREATE UNIQUE INDEX uix_users_name ON users (name);
CREATE TABLE applications (id serial PRIMARY KEY, token varchar(180), user_id integer, name text, description text,
    internal boolean, image text, default_priority integer, last_used timestamptz);
CREATE UNIQUE INDEX uix_applications_id ON applications (id);
CREATE UNIQUE INDEX uix_applications_token ON applications (token);
CREATE INDEX idx_applications_user_id ON applications (user_id);
CREATE TABLE messages (id serial PRIMARY KEY, application_id integer, message text, title text, priority integer,
    extras bytea, date timestamptz);
CREATE INDEX idx_messages_id ON messages (id);
CREATE TABLE clients (id serial PRIMARY KEY, token varchar(180), user_id integer, name text, last_used timestamptz);
CREATE UNIQUE INDEX uix_clients_id ON clients (id);
CREATE UNIQUE INDEX uix_clients_token ON clients (token);
CREATE INDEX idx_clients_user_id ON clients (user_id);
CREATE TABLE plugin_confs (id serial PRIMARY KEY, user_id integer, module_path text, token varchar(180),
    application_id integer, enabled boolean, config bytea, storage bytea);
CREATE UNIQUE INDEX uix_plugin_confs_token ON plugin_confs (token);

INSERT INTO users VALUES (1, 'admin', '$2a$10$hash', true), (2, 'bob', '', false);
INSERT INTO applications VALUES (3, 'A3', 1, 'backup', 'nightly', false, 'x.png', 4, NULL),
    (5, 'A5', 2, 'door', '', false, '', 0, NULL), (7, 'A7', 1, 'cron', '', true, '', 0, NULL);
INSERT INTO clients VALUES (4, 'C4', 1, 'phone', NULL);
INSERT INTO messages VALUES (10, 3, 'done', 'backup', 5, '{"a":{"b":1}}', '2026-07-01 12:00:00+02'),
    (11, 7, 'ran', 'cron', 0, NULL, '2026-01-01 12:00:00+01');
SELECT setval('users_id_seq', 2), setval('applications_id_seq', 7), setval('clients_id_seq', 4),
    setval('messages_id_seq', 11);
