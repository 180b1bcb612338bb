-- Where a tenant's events are sent to.
create table webhooks (
  tenant_id uuid not null,
  id uuid not null,
  url text not null check (length(url) between 1 and 2048),
  description text check (length(description) <= 200),
  -- Names and patterns: store.created, store.*, *
  events text[] not null check (cardinality(events) between 1 and 100),
  -- Null: all stores, and what happens in none.
  store_ids uuid[],
  -- Names in the order given; their values are sealed together.
  header_names text[] not null,
  headers text,
  api_version text not null check (length(api_version) between 1 and 20),
  signature text not null check (signature in ('v1', 'v1a')),
  max_per_second integer check (max_per_second between 1 and 1000),
  -- Sealed. The previous one signs too until previous_until.
  secret text not null,
  previous_secret text,
  previous_until timestamptz,
  is_active boolean not null,
  -- Why it was switched off by itself.
  disabled_reason text check (disabled_reason in ('failing', 'gone')),
  -- When it was switched off, by whomever: from then on nothing is noted for it.
  off_since timestamptz,
  -- What happened between these was not noted for it, and was not asked for since.
  missed_since timestamptz,
  missed_until timestamptz,
  -- When its receiver is tried next although it is off.
  trial_at timestamptz,
  -- Attempts since the last success.
  failures integer not null check (failures >= 0),
  failing_since timestamptz,
  last_error text check (length(last_error) <= 200),
  -- When its people were told that it fails.
  told_at timestamptz,
  -- Nothing is sent before: its receiver asked for it, or it has its rate.
  next_attempt_at timestamptz,
  -- Who sends, and until when it is taken for alive.
  locked_by uuid,
  locked_until timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (tenant_id, id),
  constraint webhooks_off_check check (is_active = (off_since is null)),
  constraint webhooks_reason_check check (disabled_reason is null or not is_active),
  constraint webhooks_trial_check check (trial_at is null or disabled_reason = 'failing'),
  constraint webhooks_headers_check check ((headers is null) = (cardinality(header_names) = 0)),
  constraint webhooks_missed_check check ((missed_since is null) = (missed_until is null)),
  constraint webhooks_failing_check check ((failures = 0) = (failing_since is null)),
  constraint webhooks_lock_check check ((locked_by is null) = (locked_until is null)),
  constraint webhooks_previous_check check ((previous_secret is null) = (previous_until is null))
);
create index webhooks_trial_idx on webhooks (trial_at) where trial_at is not null;
select tenantry.tenant_table('webhooks');
alter table webhooks add constraint webhooks_tenant_id_fkey foreign key (tenant_id) references tenants (id) on delete cascade;

-- An event on its way to a webhook. The id is made of both, so that it is there once.
create table webhook_deliveries (
  tenant_id uuid not null,
  id uuid not null,
  created_at timestamptz not null,
  webhook_id uuid not null,
  -- Null: a test, whose payload stands here.
  event_id uuid,
  event text not null check (length(event) between 1 and 100),
  payload json,
  status text not null check (status in ('pending', 'delivered', 'failed')),
  -- All there were, and those since it was last put on its way.
  attempts integer not null check (attempts >= 0),
  tries integer not null check (tries >= 0),
  next_attempt_at timestamptz,
  delivered_at timestamptz,
  last_attempt_id uuid,
  primary key (tenant_id, id),
  constraint webhook_deliveries_payload_check check ((event_id is null) = (payload is not null)),
  constraint webhook_deliveries_next_check check ((status = 'pending') = (next_attempt_at is not null))
) partition by range (id);
create index webhook_deliveries_list on webhook_deliveries (tenant_id, webhook_id, id);
create index webhook_deliveries_failed on webhook_deliveries (tenant_id, webhook_id, id) where status = 'failed';
-- What was sent of one event, however rare it is among all that was sent.
create index webhook_deliveries_event on webhook_deliveries (tenant_id, webhook_id, event, id);
create index webhook_deliveries_failed_event on webhook_deliveries (tenant_id, webhook_id, event, id) where status = 'failed';
create index webhook_deliveries_due on webhook_deliveries (tenant_id, webhook_id, next_attempt_at, id) where status = 'pending';
-- What a clock that was ahead has left is looked for each minute.
create index webhook_deliveries_next on webhook_deliveries (next_attempt_at) where next_attempt_at is not null;
-- Catches what lies outside of the months made ahead, so that nothing is refused.
create table webhook_deliveries_other partition of webhook_deliveries default;
select tenantry.tenant_table('webhook_deliveries', app_may => '{select,insert,"update (status, attempts, tries, next_attempt_at, delivered_at, last_attempt_id)"}');
-- As long as events, of which what is sent is made.
select tenantry.kept_for('webhook_deliveries', 34);
select tenantry.ensure_partitions('webhook_deliveries', current_date, 3);

-- What came of sending it, each time.
create table webhook_attempts (
  tenant_id uuid not null,
  id uuid not null,
  created_at timestamptz not null,
  webhook_id uuid not null,
  delivery_id uuid not null,
  -- Null: there was no answer.
  response_status integer,
  response_body text check (length(response_body) <= 8192),
  -- Null: it was taken.
  error text check (length(error) <= 200),
  duration_ms integer not null,
  primary key (tenant_id, id)
) partition by range (id);
create index webhook_attempts_delivery on webhook_attempts (tenant_id, delivery_id, id);
create index webhook_attempts_webhook on webhook_attempts (tenant_id, webhook_id, id);
create table webhook_attempts_other partition of webhook_attempts default;
select tenantry.tenant_table('webhook_attempts', app_may => '{select,insert}');
select tenantry.kept_for('webhook_attempts', 34);
select tenantry.ensure_partitions('webhook_attempts', current_date, 3);

-- The id of an event's delivery: it has the time of the event, and so its place in lists and months.
create function tenantry.delivery_id(webhook uuid, event uuid) returns uuid language sql immutable parallel safe as $$
  select overlay(overlay(md5(webhook::text || event::text) placing left(replace(event::text, '-', ''), 13) from 1)
    placing '8' from 17)::uuid
$$;
revoke all on function tenantry.delivery_id(uuid, uuid) from public;
grant execute on function tenantry.delivery_id(uuid, uuid) to :app_role, :system_role;
