-- Operators list people, the newest first, also those alone whose account is disabled, who are few.
create index users_created_idx on users (created_at, id);
create index users_status_idx on users (status, created_at, id);
