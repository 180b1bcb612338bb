-- A session in which an operator acts as the person: in one tenant, for a quarter of an hour at most, and no longer than the
-- session of their own that it was begun from. Requests do not open one: only the system role does.
alter table sessions add column operator_id uuid;
alter table sessions add column operator_session_id uuid;
alter table sessions add column scope_tenant_id uuid;
alter table sessions add column read_only boolean;
alter table sessions add constraint sessions_operator_check
  check (num_nonnulls(operator_id, operator_session_id, scope_tenant_id, read_only) in (0, 4));
alter table sessions add constraint sessions_operator_term_check
  check (operator_id is null or expires_at <= created_at + interval '15 minutes');
create index sessions_operator_id_idx on sessions (operator_id) where operator_id is not null;
create index sessions_operator_session_id_idx on sessions (operator_session_id) where operator_session_id is not null;
alter table sessions add constraint sessions_operator_id_fkey
  foreign key (operator_id) references users (id) on delete cascade;
alter table sessions add constraint sessions_operator_session_id_fkey
  foreign key (operator_session_id) references sessions (id) on delete cascade;
alter policy app_opens on sessions with check (revoked_at is null and operator_id is null);
