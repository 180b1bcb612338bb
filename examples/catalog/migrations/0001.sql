-- catalog/migrations/0001.sql: plain SQL; one call gives row-level security, policies and grants
create table articles (
  tenant_id uuid not null,
  id uuid not null,
  store_id uuid not null,
  name text not null check (length(name) between 1 and 200),
  price_cents integer not null,
  sold_until timestamptz,
  status text not null default 'active' check (status in ('active', 'retired')),
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (tenant_id, id)
);
create unique index articles_name_key on articles (tenant_id, store_id, lower(name));
create index articles_sold_until_idx on articles (tenant_id, sold_until) where status = 'active' and sold_until is not null;
select tenantry.tenant_table('articles');
alter table articles add constraint articles_tenant_id_fkey foreign key (tenant_id) references tenants (id) on delete cascade;
alter table articles add constraint articles_store_id_fkey foreign key (tenant_id, store_id) references stores (tenant_id, id);
