-- Gotify's indexes, by its names, then ours. Run at every start, after missing columns were added and filled:
-- a Gotify that had the file in between may have rebuilt a table, and dropped our indexes with the old one.

CREATE UNIQUE INDEX IF NOT EXISTS uix_users_name ON users (name);
CREATE UNIQUE INDEX IF NOT EXISTS uix_users_oidc_id ON users (oidc_id);
CREATE UNIQUE INDEX IF NOT EXISTS uix_applications_token ON applications (token);
CREATE INDEX IF NOT EXISTS idx_applications_user_id ON applications (user_id);
CREATE UNIQUE INDEX IF NOT EXISTS uix_application_user_id_sort_key ON applications (user_id, sort_key);
CREATE UNIQUE INDEX IF NOT EXISTS uix_clients_token ON clients (token);
CREATE INDEX IF NOT EXISTS idx_clients_user_id ON clients (user_id);
CREATE INDEX IF NOT EXISTS idx_clients_expires_at ON clients (expires_at);
CREATE UNIQUE INDEX IF NOT EXISTS uix_plugin_confs_token ON plugin_confs (token);

-- Ours. The row's id is the last part of every index, so this one lists an application's messages in order.
CREATE INDEX IF NOT EXISTS shardcast_messages_application_id ON messages (application_id);
