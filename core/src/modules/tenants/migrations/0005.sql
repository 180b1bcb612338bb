-- Since when and why the operator keeps a tenant's people out. Only the system role writes it.
alter table tenants add column suspended_at timestamptz;
alter table tenants add column suspended_reason text check (length(suspended_reason) <= 1000);
-- Whoever was suspended before, was so for a reason that nobody wrote down.
update tenants set suspended_at = updated_at, suspended_reason = '' where status = 'suspended';
-- The operator's list, the newest first, and how many were founded on each day.
create index tenants_created_at_idx on tenants (created_at, id);
