create table plans (
  id uuid not null,
  code text not null check (code ~ '^[a-z][a-z0-9_-]{0,49}$'),
  name text not null check (length(name) between 1 and 100),
  description text not null check (length(description) <= 1000),
  price_cents integer not null check (price_cents >= 0),
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  interval text not null check (interval in ('month', 'year')),
  trial_days integer not null check (trial_days between 0 and 3650),
  limits jsonb not null default '{}' check (jsonb_typeof(limits) = 'object'),
  features jsonb not null default '{}' check (jsonb_typeof(features) = 'object'),
  is_public boolean not null,
  is_active boolean not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (id)
);
create unique index plans_code_key on plans (code);
select tenantry.global_table('plans', 'every tenant chooses among the same plans');

insert into plans (id, code, name, description, price_cents, currency, interval, trial_days, limits, is_public, is_active, created_at, updated_at)
values
  ('01900000-0000-7000-8000-000000000001', 'free', 'Free', 'For trying things out, for as long as you like', 0, 'USD', 'month', 0,
    '{"users": 2, "stores": 1}', true, true, '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z'),
  ('01900000-0000-7000-8000-000000000002', 'starter', 'Starter', 'For a company with a few stores', 2900, 'USD', 'month', 14,
    '{"users": 10, "stores": 5}', true, true, '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z'),
  ('01900000-0000-7000-8000-000000000003', 'business', 'Business', 'As many people and stores as there are', 9900, 'USD', 'month', 14,
    '{"users": null, "stores": null}', true, true, '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z');

create table subscriptions (
  tenant_id uuid not null,
  id uuid not null,
  plan_id uuid not null,
  pending_plan_id uuid,
  status text not null check (status in ('trialing', 'active', 'past_due', 'canceled', 'expired')),
  trial_ends_at timestamptz,
  anchored_at timestamptz not null,
  current_period_start timestamptz not null,
  current_period_end timestamptz not null,
  cancel_at_period_end boolean not null default false,
  cancel_reason text check (length(cancel_reason) <= 1000),
  canceled_at timestamptz,
  grace_ends_at timestamptz,
  payment_method jsonb,
  payment_provider text check (length(payment_provider) <= 50),
  payment_reference text check (length(payment_reference) <= 500),
  charge jsonb,
  is_warned boolean not null default false,
  next_change_at timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (tenant_id, id),
  constraint subscriptions_period_check check (current_period_start <= current_period_end),
  constraint subscriptions_trial_check check (status <> 'trialing' or trial_ends_at is not null),
  constraint subscriptions_grace_check check ((status = 'past_due') = (grace_ends_at is not null)),
  constraint subscriptions_canceled_check check ((status = 'canceled') = (canceled_at is not null)),
  constraint subscriptions_end_check check ((status in ('canceled', 'expired')) = (next_change_at is null)),
  constraint subscriptions_payment_check check ((payment_method is null) = (payment_provider is null))
);
select tenantry.tenant_table('subscriptions');
alter table subscriptions add constraint subscriptions_tenant_id_fkey foreign key (tenant_id) references tenants (id) on delete cascade;
alter table subscriptions add constraint subscriptions_plan_id_fkey foreign key (plan_id) references plans (id);
alter table subscriptions add constraint subscriptions_pending_plan_id_fkey foreign key (pending_plan_id) references plans (id);
create unique index subscriptions_tenant_id_key on subscriptions (tenant_id);
create index subscriptions_plan_id_idx on subscriptions (tenant_id, plan_id);
create index subscriptions_pending_plan_id_idx on subscriptions (tenant_id, pending_plan_id);
-- What the clock has to look at, among all tenants.
create index subscriptions_next_change_at_idx on subscriptions (next_change_at, tenant_id) where next_change_at is not null;

create table limit_usage (
  tenant_id uuid not null,
  limit_name text not null check (length(limit_name) <= 63),
  period_start timestamptz not null,
  used bigint not null check (used >= 0),
  primary key (tenant_id, limit_name, period_start)
);
select tenantry.tenant_table('limit_usage');
alter table limit_usage add constraint limit_usage_tenant_id_fkey foreign key (tenant_id) references tenants (id) on delete cascade;

-- Tenants from before there were subscriptions get the trial of a new one.
insert into subscriptions (tenant_id, id, plan_id, status, trial_ends_at, anchored_at, current_period_start, current_period_end, next_change_at, created_at, updated_at)
select t.id, gen_random_uuid(), '01900000-0000-7000-8000-000000000002', 'trialing', n.at + interval '14 days', n.at, n.at, n.at + interval '14 days',
  n.at + interval '11 days', n.at, n.at
from tenants t cross join (select date_trunc('milliseconds', now()) as at) n
returning 1;
