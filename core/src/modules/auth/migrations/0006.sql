-- Why people were not let in lately, for those who answer for it: by address (a hash: this is no list of addresses), reason
-- and network, so that however often somebody tries there is one row.
create table sign_in_refusals (
  account text not null check (length(account) <= 64),
  reason text not null check (length(reason) <= 40),
  place text not null check (length(place) <= 64),
  attempts integer not null check (attempts > 0),
  first_at timestamptz not null,
  last_at timestamptz not null,
  -- Of the last one.
  device text check (length(device) <= 80),
  ip_address text check (length(ip_address) <= 64),
  constraint sign_in_refusals_pkey primary key (account, reason, place)
);
select tenantry.global_table('sign_in_refusals', 'noted before anybody is known');
create index sign_in_refusals_last_at_idx on sign_in_refusals (last_at);
select tenantry.app_may('sign_in_refusals', 'select', 'insert', 'update (attempts, first_at, last_at, device, ip_address)');

-- Whether there is an account with the same part before the @ is asked for by range, and the order of languages is none.
create index users_email_range_idx on users (email_normalized collate "C");
