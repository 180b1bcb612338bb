-- What somebody holds is given and taken, never turned into something else.
select tenantry.app_may('role_assignments', 'select', 'insert', 'delete');
