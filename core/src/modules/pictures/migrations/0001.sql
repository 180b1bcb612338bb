-- Pictures of people and tenants. Everybody who knows an id sees the picture, so ids are random and say nothing of when.
-- A row is there before its files, and as long as any of them: so no file is ever without a row.
create table pictures (
  id uuid not null,
  kind text not null check (kind in ('avatar', 'logo')),
  state text not null check (state in ('pending', 'attached', 'removed')),
  storage_backend text not null check (storage_backend in ('local', 's3')),
  width integer not null check (width > 0),
  height integer not null check (height > 0),
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint pictures_pkey primary key (id)
);
select tenantry.global_table('pictures', 'people have one picture in all tenants, and whoever looks at a picture shows no credential',
  app_may => array['select', 'insert', 'update (state, updated_at)', 'delete']);
-- What the sweep looks for.
create index pictures_unattached_idx on pictures (updated_at, id) where state <> 'attached';
