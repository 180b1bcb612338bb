-- Where a tenant's audit log is streamed to.
create table audit_sinks (
  tenant_id uuid not null,
  id uuid not null,
  -- One of three places: two sinks that are made at once cannot both take the last one.
  slot smallint not null check (slot between 1 and 3),
  url text not null check (length(url) between 1 and 2048),
  description text check (length(description) <= 200),
  -- Sealed. The previous one signs too until previous_until.
  secret text not null,
  previous_secret text,
  previous_until timestamptz,
  status text not null check (status in ('active', 'paused')),
  paused_reason text check (paused_reason in ('by_hand', 'failing')),
  -- Of the last sealed record that was sent; 0: none.
  position bigint not null check (position >= 0),
  -- Of the last record of the batch that is being sent, or sent again, until the receiver has taken it.
  batch_end bigint,
  sent_until timestamptz,
  last_sent_at timestamptz,
  failures integer not null check (failures >= 0),
  failing_since timestamptz,
  last_error text check (length(last_error) <= 200),
  next_attempt_at timestamptz,
  -- Who sends, and until when it is taken for alive.
  locked_by uuid,
  locked_until timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (tenant_id, id),
  constraint audit_sinks_paused_check check ((status = 'paused') = (paused_reason is not null)),
  constraint audit_sinks_batch_check check (batch_end > position),
  constraint audit_sinks_failing_check check ((failures = 0) = (failing_since is null)),
  constraint audit_sinks_lock_check check ((locked_by is null) = (locked_until is null)),
  constraint audit_sinks_previous_check check ((previous_secret is null) = (previous_until is null))
);
select tenantry.tenant_table('audit_sinks');
alter table audit_sinks add constraint audit_sinks_tenant_id_fkey foreign key (tenant_id) references tenants (id) on delete cascade;
create unique index audit_sinks_slot_key on audit_sinks (tenant_id, slot);
