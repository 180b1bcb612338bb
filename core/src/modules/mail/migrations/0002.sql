-- Every mail of a tenant, from when it is posted; what it says is sealed.
create table mails (
  tenant_id uuid not null,
  id uuid not null,
  "to" text not null check (length("to") <= 320),
  -- The same in the form in which addresses are compared.
  address text not null check (length(address) <= 320),
  subject text not null check (length(subject) <= 200),
  kind text not null,
  status text not null check (status in ('queued', 'sent', 'deferred', 'bounced', 'suppressed', 'failed', 'canceled')),
  -- Why it is where it is, where the status does not say it.
  reason text,
  attempts integer not null check (attempts >= 0),
  server_reply text check (length(server_reply) <= 200),
  sent_at timestamptz,
  -- For people: what runs then is a job.
  next_attempt_at timestamptz,
  failing_since timestamptz,
  -- The attempt that is under way, from before the first word to the mail server until its answer is written down.
  claimed_by uuid,
  -- It goes to an address that is spared for a while, and asks again before it leaves.
  waits_turn boolean not null,
  -- The first mail of which this says the same once more.
  resend_of uuid,
  -- Sealed; null once it is of no use.
  data text,
  locale text,
  timezone text,
  from_name text,
  -- The kind of notification that it brings, and to whom, when they can switch that off.
  unsubscribe_kind text,
  unsubscribe_user_id uuid,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (tenant_id, id),
  constraint mails_sent_check check ((status = 'sent') <= (sent_at is not null)),
  constraint mails_unsubscribe_check check ((unsubscribe_kind is null) = (unsubscribe_user_id is null))
);
select tenantry.tenant_table('mails');
create index mails_created_at_idx on mails (tenant_id, created_at, id);
create index mails_address_idx on mails (tenant_id, address, created_at, id);
create index mails_kind_idx on mails (tenant_id, kind, created_at, id);
-- Nearly all are sent.
create index mails_status_idx on mails (tenant_id, status, created_at, id) where status <> 'sent';
-- However many ask at once, one copy of a mail waits.
create unique index mails_resend_of_key on mails (tenant_id, resend_of) where resend_of is not null and status in ('queued', 'deferred');

-- The same without a tenant.
create table global_mails (
  id uuid not null,
  "to" text not null check (length("to") <= 320),
  -- The same in the form in which addresses are compared.
  address text not null check (length(address) <= 320),
  subject text not null check (length(subject) <= 200),
  kind text not null,
  status text not null check (status in ('queued', 'sent', 'deferred', 'bounced', 'suppressed', 'failed', 'canceled')),
  reason text,
  attempts integer not null check (attempts >= 0),
  server_reply text check (length(server_reply) <= 200),
  sent_at timestamptz,
  next_attempt_at timestamptz,
  failing_since timestamptz,
  claimed_by uuid,
  waits_turn boolean not null,
  resend_of uuid,
  data text,
  locale text,
  timezone text,
  from_name text,
  unsubscribe_kind text,
  unsubscribe_user_id uuid,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (id),
  constraint global_mails_sent_check check ((status = 'sent') <= (sent_at is not null)),
  constraint global_mails_unsubscribe_check check ((unsubscribe_kind is null) = (unsubscribe_user_id is null))
);
select tenantry.global_table('global_mails', 'mails that belong to no tenant, such as those that prove an address');
select tenantry.app_may('global_mails', 'select', 'insert', 'update');
create index global_mails_created_at_idx on global_mails (created_at, id);
create index global_mails_address_idx on global_mails (address, created_at, id);

-- Addresses that a tenant's mails do not go to any more.
create table mail_suppressions (
  tenant_id uuid not null,
  id uuid not null,
  email text not null check (length(email) <= 320),
  reason text not null check (reason in ('hard_bounce', 'complaint')),
  -- What the mail server of the address said.
  server_reply text check (length(server_reply) <= 200),
  -- The mail that led to it; it may be gone.
  mail_id uuid,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (tenant_id, id)
);
select tenantry.tenant_table('mail_suppressions');
create unique index mail_suppressions_email_key on mail_suppressions (tenant_id, email);
create index mail_suppressions_created_at_idx on mail_suppressions (tenant_id, created_at, id);

-- Addresses at which nobody is, whoever found out. The key is a hash: this is no list of addresses.
create table dead_addresses (
  key text not null,
  server_reply text check (length(server_reply) <= 200),
  bounced_at timestamptz not null,
  constraint dead_addresses_pkey primary key (key)
);
select tenantry.global_table('dead_addresses', 'mails to an address at which nobody is harm every tenant''s mails');
create index dead_addresses_bounced_at_idx on dead_addresses (bounced_at);

-- The moments at which mails went to the address, as far as they still count.
alter table mail_pauses add column taken jsonb not null default '[]' check (jsonb_typeof(taken) = 'array');
