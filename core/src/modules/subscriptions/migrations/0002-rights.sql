-- What a plan costs and allows is for the operator to say.
select tenantry.app_may('plans', 'select');
select tenantry.app_may('subscriptions', 'select', 'insert', 'update');
