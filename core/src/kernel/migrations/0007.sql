-- Operators list jobs, the newest first, by whatever they are, and act on one by its id, of which they know no tenant.
create index tenant_jobs_waiting on tenant_jobs (id) where status = 'waiting';
create index tenant_jobs_task on tenant_jobs (task, status, id);
create index system_jobs_failed on system_jobs (id) where status = 'failed';
create index system_jobs_task on system_jobs (task, status, id);
create index system_jobs_retried on system_jobs (run_at) where status = 'waiting' and attempts > 0;
