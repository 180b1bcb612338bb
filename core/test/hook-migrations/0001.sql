create table hooks (
  tenant_id uuid not null,
  id uuid not null,
  url text not null,
  secret text not null,
  previous_secret text,
  previous_until timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (tenant_id, id)
);
select tenantry.tenant_table('hooks');
create table hook_messages (
  tenant_id uuid not null,
  id uuid not null,
  hook_id uuid not null,
  body text not null,
  status text not null,
  failures integer not null,
  failing_since timestamptz,
  last_error text,
  next_attempt_at timestamptz,
  locked_by uuid,
  locked_until timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (tenant_id, id)
);
create index hook_messages_hook_id on hook_messages (tenant_id, hook_id);
select tenantry.tenant_table('hook_messages');
alter table hook_messages add constraint hook_messages_hook_id_fkey foreign key (tenant_id, hook_id) references hooks (tenant_id, id) on delete cascade;
