-- Whether it is still being read from an export: until all is there nobody lets its people in. Only the system role writes it.
alter table tenants add column is_incomplete boolean not null default false;
