-- How many tenants each person has founded: counted up in the transaction that founds one, so that it cannot be passed.
create table tenant_founders (
  user_id uuid not null,
  founded integer not null check (founded > 0),
  constraint tenant_founders_pkey primary key (user_id)
);
select tenantry.global_table('tenant_founders', 'a person founds tenants before they are in one');
insert into tenant_founders (user_id, founded) select owner_id, count(*) from tenants group by owner_id;
alter table tenant_founders add constraint tenant_founders_user_fkey
  foreign key (user_id) references users (id) on delete cascade;
