-- What a person has set, across tenants: apart from users, whose rows are read with every request.
create table user_settings (
  user_id uuid not null,
  settings jsonb not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint user_settings_pkey primary key (user_id)
);
select tenantry.global_table('user_settings', 'people are global, and so is what they set for themselves');
alter table user_settings add constraint user_settings_user_fkey
  foreign key (user_id) references users (id) on delete cascade;
select tenantry.app_may('user_settings', 'select', 'insert', 'update (settings, updated_at)');
