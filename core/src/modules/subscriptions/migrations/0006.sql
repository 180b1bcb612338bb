-- What operators give a tenant in place of what its plan says: by name, {"value": …, "until": a moment or null}. In the
-- subscription's own row, so that whoever waits for its lock finds what was given meanwhile.
alter table subscriptions add column limits_override jsonb not null default '{}';
alter table subscriptions add column features_override jsonb not null default '{}';
alter table subscriptions add constraint subscriptions_limits_override_check check (jsonb_typeof(limits_override) = 'object');
alter table subscriptions add constraint subscriptions_features_override_check check (jsonb_typeof(features_override) = 'object');
-- No request of a tenant gives it more than it has.
select tenantry.app_may('subscriptions', 'select', 'insert', 'update (plan_id, pending_plan_id, status, trial_ends_at, anchored_at, '
  'current_period_start, current_period_end, cancel_at_period_end, cancel_reason, canceled_at, grace_ends_at, payment_method, '
  'payment_provider, payment_reference, charge, warned_days, next_change_at, updated_at)');

-- A limit or a feature for a share of all tenants, whatever their plans say.
create table rollouts (
  name text primary key check (length(name) between 1 and 200),
  value jsonb not null check (jsonb_typeof(value) in ('number', 'boolean', 'null')),
  share integer not null check (share between 0 and 100),
  until timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
select tenantry.global_table('rollouts', 'which tenants are among a share follows from their ids', app_may => '{select}');
