-- Operators who act as somebody of the tenant now, or whose end is not recorded yet: the row goes when it is, in the same
-- transaction, so that it is recorded once. Its id is that of the session.
create table impersonations (
  tenant_id uuid not null,
  id uuid not null,
  user_id uuid not null,
  user_name text not null check (length(user_name) <= 200),
  operator_id uuid not null,
  operator_name text not null check (length(operator_name) <= 200),
  reason text not null check (length(reason) <= 500),
  read_only boolean not null,
  expires_at timestamptz not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (tenant_id, id)
);
-- Only operators begin, and what they said stays as it was written.
select tenantry.tenant_table('impersonations', app_may => '{select,delete}');
alter table impersonations add constraint impersonations_tenant_id_fkey
  foreign key (tenant_id) references tenants (id) on delete cascade;
