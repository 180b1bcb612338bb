-- Memberships of a person, whatever the tenant: invitations that wait and memberships that were disabled have no row in
-- user_tenants.
create index members_person_idx on members (id, tenant_id);

-- Where somebody was a member until lately, by person: their membership is gone, and the log of each tenant is its own.
create table member_departures (
  user_id uuid not null,
  tenant_id uuid not null,
  left_at timestamptz not null,
  constraint member_departures_pkey primary key (user_id, tenant_id)
);
select tenantry.global_table('member_departures', 'a person is asked about before a tenant is known');
alter table member_departures add constraint member_departures_user_fkey
  foreign key (user_id) references users (id) on delete cascade;
create index member_departures_left_at_idx on member_departures (left_at);
select tenantry.app_may('member_departures', 'select', 'insert', 'update (left_at)');
