-- What a person may do who runs the installation, beside is_super_admin, which is everything. Read with every request, so
-- it stands here; only the system role writes it.
alter table users add column operator_roles text[] not null default '{}'
  check (operator_roles <@ array['support', 'billing', 'operations']);
create index users_operators_idx on users (created_at, id) where is_super_admin or operator_roles <> '{}';
