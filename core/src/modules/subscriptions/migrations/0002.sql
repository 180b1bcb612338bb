-- How many trials a person's tenants have had: it stays when a tenant goes, so that a trial is not had twice.
create table person_trials (
  user_id uuid primary key,
  trials integer not null check (trials >= 0)
);
select tenantry.global_table('person_trials', 'a person founds several tenants and has their trials counted over all of them');
alter table person_trials add constraint person_trials_user_id_fkey foreign key (user_id) references users (id) on delete cascade;

-- Whoever has founded tenants already has had their trials.
insert into person_trials (user_id, trials)
select t.owner_id, count(*)
from tenants t join subscriptions s on s.tenant_id = t.id
where s.trial_ends_at is not null
group by t.owner_id
returning 1;
