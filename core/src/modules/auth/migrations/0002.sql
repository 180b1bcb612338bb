-- Failures are counted by place, by known device and by session, each with a stop of its own; `next_at` is the growing
-- delay of all that is not answered for by such a counter alone. `account` (a hash) finds what belongs to one account.
alter table login_failures add column account text check (length(account) <= 64);
alter table login_failures add column next_at timestamptz;
create index login_failures_account_idx on login_failures (account) where account is not null;
