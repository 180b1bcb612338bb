create table tills (
  tenant_id uuid not null,
  id uuid not null,
  store_id uuid not null,
  label text not null,
  coins integer not null constraint tills_coins_check check (coins >= 0),
  counted_at timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (tenant_id, id)
);
create unique index tills_label_key on tills (tenant_id, label);
create index tills_store_idx on tills (tenant_id, store_id);
select tenantry.tenant_table('tills');
alter table tills add constraint tills_tenant_id_fkey foreign key (tenant_id) references tenants (id) on delete cascade;
alter table tills add constraint tills_store_fkey foreign key (tenant_id, store_id) references stores (tenant_id, id) deferrable;
