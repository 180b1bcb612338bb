create table members (
  tenant_id uuid not null,
  -- The person's id in users.
  id uuid not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  name text not null check (length(name) between 1 and 200),
  phone text check (length(phone) <= 40),
  job_title text check (length(job_title) <= 200),
  status text not null check (status in ('active', 'disabled', 'invited')),
  joined_at timestamptz not null,
  primary key (tenant_id, id)
);
select tenantry.tenant_table('members');
alter table members add constraint members_tenant_id_fkey
  foreign key (tenant_id) references tenants (id) on delete cascade;
alter table members add constraint members_id_fkey foreign key (id) references users (id);
create index members_tenant_id_created_at_id_idx on members (tenant_id, created_at, id);

create table invitations (
  tenant_id uuid not null,
  id uuid not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  user_id uuid not null,
  email text not null check (length(email) <= 254),
  name text not null check (length(name) between 1 and 200),
  roles jsonb not null,
  token_hash bytea not null,
  expires_at timestamptz not null,
  sent_at timestamptz not null,
  accepted_at timestamptz,
  -- Who invited may leave; the record of it stays, so this refers to nobody.
  invited_by uuid,
  primary key (tenant_id, id),
  constraint invitations_tenant_id_token_hash_key unique (tenant_id, token_hash)
);
select tenantry.tenant_table('invitations');
alter table invitations add constraint invitations_member_fkey
  foreign key (tenant_id, user_id) references members (tenant_id, id) on delete cascade;
-- A person has one invitation: it is renewed, not repeated.
create unique index invitations_tenant_id_user_id_key on invitations (tenant_id, user_id);
