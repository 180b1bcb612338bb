-- Jobs that were given up are few among those that wait, and are asked for by tenant.
create index tenant_jobs_failed_tenant_idx on tenant_jobs (tenant_id, id) where status = 'failed';
