-- How many requests a tenant may send in a minute. A plan that says so already keeps its figure.
update plans set limits = '{"requests_per_minute": 1200}'::jsonb || limits where code = 'free';
update plans set limits = '{"requests_per_minute": 6000}'::jsonb || limits where code = 'starter';
update plans set limits = '{"requests_per_minute": 60000}'::jsonb || limits where code = 'business';
