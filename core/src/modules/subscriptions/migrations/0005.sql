-- An end is announced several times: how many days before it that was last done.
alter table subscriptions add column warned_days integer;
update subscriptions set warned_days = 3 where is_warned;
alter table subscriptions drop column is_warned;
