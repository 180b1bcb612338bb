-- The dictionary behind the text filter: which names the sealed records hold, and the words that each can be found by.
-- The sealing job fills it, never a writer.

-- Actions byte by byte: equality, ranges and comparisons of rows all reach the one index.
drop index audit_logs_action;
create index audit_logs_action on audit_logs (tenant_id, action collate "C", id);

-- Who acts without an id is found by its kind. Such a record has no entry in audit_logs_actor, so it costs no more.
create index audit_logs_actor_type on audit_logs (tenant_id, actor_type, id) where actor_id is null;

-- A name as it was at the time, of one actor, resource or action. The id is a hash of all that identifies it.
create table audit_names (
  tenant_id uuid not null,
  id uuid not null,
  -- What ref is: the id of an actor or a resource; the type of one that has no id; an action itself.
  kind text not null check (kind in ('actor', 'actor_type', 'resource', 'resource_type', 'action')),
  ref text not null,
  label text not null,
  -- The least and the greatest id among the records that hold it.
  first_id uuid not null,
  last_id uuid not null,
  primary key (tenant_id, id),
  constraint audit_names_range_check check (first_id <= last_id)
);
select tenantry.tenant_table('audit_names');

-- A name from each of its words on, folded. Compared byte by byte: row-level security lets a range through to the index,
-- and the beginnings of a text are one.
create table audit_terms (
  tenant_id uuid not null,
  term text collate "C" not null check (length(term) <= 60),
  name_id uuid not null,
  primary key (tenant_id, term, name_id)
);
select tenantry.tenant_table('audit_terms');
