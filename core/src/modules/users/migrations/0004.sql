-- The picture that a person shows, by its id: its address depends on where the installation is. Nothing was ever kept
-- in avatar_url.
alter table users drop column avatar_url;
alter table users add column avatar_id uuid;
create index users_avatar_idx on users (avatar_id) where avatar_id is not null;
alter table users add constraint users_avatar_fkey foreign key (avatar_id) references pictures (id);
select tenantry.app_may('users', 'select',
  'insert (id, created_at, updated_at, email, email_normalized, name, phone, locale, timezone, email_verified_at, two_factor_enabled, status)',
  'update (updated_at, name, phone, avatar_id, locale, timezone, email_verified_at)');
