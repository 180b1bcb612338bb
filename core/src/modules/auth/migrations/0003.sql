select tenantry.app_may('user_passwords', 'select', 'insert', 'update (hash, changed_at)');
select tenantry.app_may('sessions', 'select', 'insert', 'update (last_active_at, expires_at, revoked_at)');
select tenantry.app_may('refresh_tokens', 'select', 'insert', 'update (used_at, successor_sealed)');
select tenantry.app_may('user_tokens', 'select', 'insert', 'update (used_at)');
select tenantry.app_may('known_devices', 'select', 'insert', 'update (last_seen_at)');

-- What is revoked or spent stays so: to the application role such a row is not there to be changed.
alter table sessions enable row level security;
create policy app_reads on sessions for select to :app_role using (true);
create policy app_opens on sessions for insert to :app_role with check (revoked_at is null);
create policy app_uses on sessions for update to :app_role using (revoked_at is null) with check (true);
create policy system_access on sessions for all to :system_role using (true) with check (true);

alter table refresh_tokens enable row level security;
create policy app_reads on refresh_tokens for select to :app_role using (true);
create policy app_makes on refresh_tokens for insert to :app_role with check (used_at is null);
create policy app_spends on refresh_tokens for update to :app_role using (used_at is null) with check (true);
create policy system_access on refresh_tokens for all to :system_role using (true) with check (true);

alter table user_tokens enable row level security;
create policy app_reads on user_tokens for select to :app_role using (true);
create policy app_makes on user_tokens for insert to :app_role with check (used_at is null);
create policy app_spends on user_tokens for update to :app_role using (used_at is null) with check (true);
create policy system_access on user_tokens for all to :system_role using (true) with check (true);

-- Keys are made and retired, and the first super admin is made, by the system role.
select tenantry.app_may('signing_keys', 'select');
select tenantry.app_may('bootstraps');

-- Says that a row was written by who knows APP_SECRET: over all that verifiers go by. A row without it is worth nothing.
alter table signing_keys add column mac text check (length(mac) = 43);
