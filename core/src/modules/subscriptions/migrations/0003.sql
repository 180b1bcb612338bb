-- What a plan costs and allows is for the operator to say.
select tenantry.app_may('plans', 'select');
select tenantry.app_may('subscriptions', 'select', 'insert', 'update');
-- What a person's tenants have had is counted up, never taken back.
select tenantry.app_may('person_trials', 'select', 'insert', 'update (trials)');
