-- Which messages of others' servers have come in, by the ids that these give them: each is worked once. A tenant's stand in its
-- own table, so that nobody's messages are taken for those of another tenant whose sender uses the same ids.
create table inbound_messages (
  tenant_id uuid not null,
  source text not null,
  message_id text not null check (length(message_id) between 1 and 255),
  received_at timestamptz not null,
  body_hash bytea not null,
  primary key (tenant_id, source, message_id)
);
select tenantry.tenant_table('inbound_messages', app_may => '{select,insert}');
create index inbound_messages_age on inbound_messages (received_at);

create table global_inbound_messages (
  source text not null,
  message_id text not null check (length(message_id) between 1 and 255),
  received_at timestamptz not null,
  body_hash bytea not null,
  primary key (source, message_id)
);
select tenantry.global_table('global_inbound_messages', 'messages of others that are for no tenant', app_may => '{select,insert}');
create index global_inbound_messages_age on global_inbound_messages (received_at);
