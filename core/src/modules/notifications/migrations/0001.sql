-- What people are told. The id is made of what it is told for, the kind and the person, so that it is there at most once; it
-- carries the time of that, as every UUIDv7 does. Kept is a code and what its texts are written from, never the text.
create table notifications (
  tenant_id uuid not null,
  id uuid not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  user_id uuid not null,
  -- The place in the person's list, which ascends in the order of commits. Null: it goes out by other channels alone.
  seq bigint,
  kind text not null check (length(kind) between 1 and 100),
  type text not null check (type in ('info', 'warning', 'success', 'error')),
  data jsonb not null check (jsonb_typeof(data) = 'object'),
  -- A newer one takes the place of an unread one of the same key.
  group_key text check (length(group_key) <= 200),
  -- From then on it is not shown.
  expires_at timestamptz,
  -- Null: unread and shown, unless the person has read all up to a place behind this one (notification_counts.read_to).
  read_at timestamptz,
  archived_at timestamptz,
  -- Which of its actions the person has taken, and when.
  outcome text check (length(outcome) between 1 and 60),
  outcome_at timestamptz,
  primary key (tenant_id, id),
  constraint notifications_taken_check check ((outcome is null) = (outcome_at is null)),
  constraint notifications_put_away_check check (archived_at is null or read_at is not null)
) partition by range (id);
create index notifications_feed on notifications (tenant_id, user_id, seq) where archived_at is null;
create index notifications_archive on notifications (tenant_id, user_id, seq) where archived_at is not null;
create index notifications_unread on notifications (tenant_id, user_id, seq) where read_at is null;
create index notifications_kind on notifications (tenant_id, user_id, kind, seq) where archived_at is null;
create index notifications_type on notifications (tenant_id, user_id, type, seq) where archived_at is null;
create index notifications_group on notifications (tenant_id, user_id, group_key) where group_key is not null and read_at is null;
create index notifications_expiring on notifications (tenant_id, user_id, expires_at) where expires_at is not null and read_at is null;
create index notifications_expired on notifications (expires_at) where expires_at is not null;
-- Catches what lies outside of the months made ahead, so that nothing is refused.
create table notifications_other partition of notifications default;
select tenantry.tenant_table('notifications', app_may => '{select,insert,delete,"update (read_at, archived_at, outcome, outcome_at, updated_at)"}');
select tenantry.ensure_partitions('notifications', current_date, 3);
alter table notifications add constraint notifications_tenant_id_fkey foreign key (tenant_id) references tenants (id) on delete cascade;

-- How many a person has not read: whatever changes that holds the person's row, so that it never drifts.
create table notification_counts (
  tenant_id uuid not null,
  -- The person.
  id uuid not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  -- Those after read_to that nobody has read, including what has expired since next_expiry.
  unread integer not null check (unread >= 0),
  -- The place of the last one.
  last_seq bigint not null,
  -- All up to here are read, since read_all_at.
  read_to bigint not null,
  read_all_at timestamptz,
  -- All up to here belong to an earlier membership: nobody sees them.
  hidden_to bigint not null,
  -- Nothing that is counted expires before. Null: nothing expires.
  next_expiry timestamptz,
  primary key (tenant_id, id),
  constraint notification_counts_order_check check (hidden_to <= read_to and read_to <= last_seq)
) with (fillfactor = 70);
select tenantry.tenant_table('notification_counts', app_may => '{select,insert,"update (unread, last_seq, read_to, read_all_at, hidden_to, next_expiry, updated_at)"}');
alter table notification_counts add constraint notification_counts_tenant_id_fkey foreign key (tenant_id) references tenants (id) on delete cascade;

-- What a member has chosen in this tenant; what is not there is as the kind says.
create table notification_preferences (
  tenant_id uuid not null,
  -- The person.
  id uuid not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  -- By kind: the channels that are switched on or off, and whether its mails come in the daily digest.
  kinds jsonb not null check (jsonb_typeof(kinds) = 'object'),
  quiet_hours jsonb check (jsonb_typeof(quiet_hours) = 'object'),
  primary key (tenant_id, id)
);
select tenantry.tenant_table('notification_preferences', app_may => '{select,insert,"update (kinds, quiet_hours, updated_at)"}');
alter table notification_preferences add constraint notification_preferences_member_fkey
  foreign key (tenant_id, id) references members (tenant_id, id) on delete cascade;

-- What is still to go out: by a channel that a module brings, after quiet hours, or in a digest. The row goes when it is done.
create table notification_sends (
  tenant_id uuid not null,
  id uuid not null,
  created_at timestamptz not null,
  user_id uuid not null,
  -- Without a foreign key, which would keep months from being dropped: what is gone is not sent.
  notification_id uuid not null,
  channel text not null check (length(channel) between 1 and 60),
  is_digest boolean not null,
  primary key (tenant_id, id)
);
create index notification_sends_user_idx on notification_sends (tenant_id, user_id, id);
create index notification_sends_age_idx on notification_sends (created_at);
select tenantry.tenant_table('notification_sends', app_may => '{select,insert,delete}');
alter table notification_sends add constraint notification_sends_member_fkey
  foreign key (tenant_id, user_id) references members (tenant_id, id) on delete cascade;

-- Drops the partition of a month that nobody has an unread notification in, as tenantry.drop_audit_month does: it is closed to
-- writers, looked at once more, and everything is locked only while the catalogue changes. False: it is not over, not there, or
-- something unread is in it. Fails with 55P03 when a lock cannot be had in a tenth of a second.
create function tenantry.drop_notification_month(month date) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '100ms' as $$
declare
  starts date := date_trunc('month', month::timestamp)::date;
  over timestamptz := (starts + interval '1 month') at time zone 'UTC';
  part text := 'notifications_' || to_char(starts, 'YYYYMM');
  is_unread boolean;
begin
  -- A day more, because clocks differ.
  if starts is null or over > now() - interval '1 day' then
    return false;
  end if;
  if not exists (select from pg_inherits i where i.inhparent = 'core.notifications'::regclass
      and i.inhrelid = to_regclass(format('core.%I', part))) then
    return false;
  end if;
  execute format('lock table core.%I in share mode', part);
  execute format('select exists (select from core.%I where read_at is null)', part) into is_unread;
  if is_unread then
    return false;
  end if;
  lock table only core.notifications in access exclusive mode;
  execute format('alter table core.notifications detach partition core.%I', part);
  execute format('drop table core.%I', part);
  return true;
end $$;
revoke all on function tenantry.drop_notification_month(date) from public;
grant execute on function tenantry.drop_notification_month(date) to :system_role;
