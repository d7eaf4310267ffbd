-- Gotify's indexes, by its names, then ours. Each is made where it is missing, after missing columns were added and
-- filled.

CREATE UNIQUE INDEX uix_users_name ON users (name);
CREATE UNIQUE INDEX uix_users_oidc_id ON users (oidc_id(512));
CREATE UNIQUE INDEX uix_applications_token ON applications (token);
CREATE INDEX idx_applications_user_id ON applications (user_id);
CREATE UNIQUE INDEX uix_application_user_id_sort_key ON applications (user_id, sort_key(255));
CREATE UNIQUE INDEX uix_clients_token ON clients (token);
CREATE INDEX idx_clients_user_id ON clients (user_id);
CREATE INDEX idx_clients_expires_at ON clients (expires_at);
CREATE UNIQUE INDEX uix_plugin_confs_token ON plugin_confs (token);

-- Ours: it lists an application's messages in order.
CREATE INDEX shardcast_messages_application_id ON messages (application_id, id);
-- Ours: it finds the users that have got messages lately.
CREATE INDEX shardcast_heads_moved_at ON shardcast_heads (moved_at);
-- Ours: it finds the logins that are old enough to be forgotten.
CREATE INDEX shardcast_logins_ended_at ON shardcast_logins (ended_at);
-- Ours: it lists the segments of a user's search index in order.
CREATE INDEX shardcast_search_segments_user_id ON shardcast_search_segments (user_id, last_id);
-- Ours: it finds the message of an application that has a key.
CREATE INDEX shardcast_keyed_application_id ON shardcast_keyed (application_id, replace_key);
-- Ours: it finds whoever else has an endpoint, of which an index can hold only the beginning.
CREATE INDEX shardcast_push_endpoint ON shardcast_push (endpoint(255));
