-- What runs by the clock, and what sweeps over tenants: who is at it, how far it has come, and when it was last over. No
-- connection is held meanwhile, and what a process that died has claimed is free a minute later.
create table runs (
  name text primary key,
  claimed_by uuid,
  claimed_until timestamptz,
  -- Where an unfinished sweep goes on: after that tenant. Of the worker itself: since when some worker has been there.
  position text,
  -- When it last came to its end; before the first time, when it became known.
  done_at timestamptz not null,
  constraint runs_claim_check check ((claimed_by is null) = (claimed_until is null))
);
select tenantry.global_table('runs', 'what runs by the clock, across all tenants');
revoke all on runs from :app_role;

-- Jobs that wait for other people's servers have places of their own, so they are looked for by themselves.
alter table tenant_jobs add column outbound boolean not null default false;
alter table system_jobs add column outbound boolean not null default false;
drop index tenant_jobs_due;
create index tenant_jobs_due on tenant_jobs (tenant_id, outbound, run_at, id) where status = 'waiting';
drop index system_jobs_due;
create index system_jobs_due on system_jobs (outbound, run_at, id) where status = 'waiting';

-- What a clock that was ahead has left is looked for each minute, and what was given up is counted.
create index tenant_jobs_made on tenant_jobs (created_at) where status = 'waiting';
create index tenant_jobs_failed on tenant_jobs (id) where status = 'failed';
create index tenant_jobs_retried on tenant_jobs (run_at) where status = 'waiting' and attempts > 0;
