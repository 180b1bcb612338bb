-- An invitation goes with the membership that it stands for.
select tenantry.app_may('invitations', 'select', 'insert', 'update');
