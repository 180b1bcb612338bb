-- Who is invited takes a place in the plan until the invitation runs out; null: as long as the membership is there.
alter table members add column seat_ends_at timestamptz;
update members m set seat_ends_at = i.expires_at
  from invitations i
  where i.tenant_id = m.tenant_id and i.user_id = m.id and m.status = 'invited';

-- What an invitation is worth follows from its sender; of one whose sender is unknown nothing is known to be right.
alter table invitations add column sender_type text not null default 'user'
  check (sender_type in ('user', 'api_key', 'system', 'admin'));
create index invitations_tenant_id_invited_by_idx on invitations (tenant_id, invited_by);

-- The roles that open invitations promise: a role that somebody is invited to cannot be deleted.
create table invitation_roles (
  tenant_id uuid not null,
  id uuid not null,
  invitation_id uuid not null,
  role_id uuid not null,
  primary key (tenant_id, id),
  constraint invitation_roles_key unique (tenant_id, invitation_id, role_id)
);
select tenantry.tenant_table('invitation_roles');
create index invitation_roles_tenant_id_role_id_idx on invitation_roles (tenant_id, role_id);
insert into invitation_roles (tenant_id, id, invitation_id, role_id)
  select i.tenant_id, gen_random_uuid(), i.id, r.id
  from invitations i
  join roles r on r.tenant_id = i.tenant_id
  where i.accepted_at is null
    and exists (select from jsonb_array_elements(i.roles) promised where promised ->> 'role_id' = r.id::text);
alter table invitation_roles add constraint invitation_roles_invitation_fkey
  foreign key (tenant_id, invitation_id) references invitations (tenant_id, id) on delete cascade;
alter table invitation_roles add constraint invitation_roles_role_fkey
  foreign key (tenant_id, role_id) references roles (tenant_id, id);
