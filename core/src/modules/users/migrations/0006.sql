-- Operators list people, the newest first; those whose account is disabled are few among many.
create index users_created_idx on users (created_at, id);
create index users_disabled_idx on users (created_at, id) where status = 'disabled';
