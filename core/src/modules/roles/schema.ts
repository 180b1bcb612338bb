import type { Static } from 'typebox'
import Type from 'typebox'
import {
  Closed,
  CreatedAt,
  Described,
  Line,
  ListQuery,
  Nullable,
  OneOf,
  OwnId,
  Page,
  Patch,
  pickFields,
  Search,
  Short,
  TenantId,
  UpdatedAt,
  Uuid,
} from '#kernel'
import { type Catalogue, effectivePermissions } from './catalogue.ts'
import type { RoleAssignmentRow, RoleRow } from './table.ts'

const Scope = OneOf(['tenant', 'store'], { description: 'Roles of this scope alone' })

export const Permission = Closed(
  {
    code: Type.String({ description: 'What roles and programs call it', examples: ['store.view'] }),
    description: Type.String({ description: 'What it allows, for people', examples: ['See stores'] }),
    module: Type.String({ description: 'The part of the product that it belongs to', examples: ['stores'] }),
    scope: OneOf(['tenant', 'store'], {
      description: '`store`: may be held for a single store too; `tenant`: only for the whole tenant',
    }),
  },
  { title: 'Permission', description: 'Something that a role may allow' },
)
export type Permission = Static<typeof Permission>

export const PermissionList = Short(Permission)

export const Role = Closed(
  {
    id: OwnId,
    tenant_id: TenantId,
    created_at: CreatedAt,
    updated_at: UpdatedAt,
    name: Type.String({ description: 'Unique in the tenant', examples: ['Night shift'] }),
    description: Type.String({
      description: 'What it is for, in the words of who made it',
      examples: ['Closes the tills'],
    }),
    scope: OneOf(['tenant', 'store'], {
      description:
        '`tenant`: held for the whole tenant; `store`: for single stores, and the built-in ones for the whole tenant too',
    }),
    is_system: Type.Boolean({ description: 'Whether it is built in: such a role cannot be changed or deleted' }),
    permissions: Type.Array(Type.String({ examples: ['store.view'] }), {
      description: 'Codes of what it allows, as `GET /permissions` explains them',
    }),
  },
  { title: 'Role', description: 'A bundle of permissions that people are given' },
)
export type Role = Static<typeof Role>

export const RolePage = Page(Role)

export const RoleQuery = ListQuery({
  scope: Type.Optional(Scope),
  q: Type.Optional(Search(100, 'Part of the name or the description')),
})
export type RoleQuery = Static<typeof RoleQuery>

const name = Line(100, 'Night shift', 'Unique in the tenant, and not that of a built-in role')
const description = Type.String({
  maxLength: 500,
  description: 'What it is for, in your words',
  examples: ['Closes the tills'],
})
const permissions = Type.Array(Type.String({ maxLength: 100, examples: ['store.view'] }), {
  maxItems: 500,
  description: 'Codes of `GET /permissions`; you must hold each of them yourself, for the whole tenant',
})

export const NewRole = Closed(
  {
    name,
    description: Type.Optional(description),
    scope: Type.Optional(
      OneOf(['tenant', 'store'], {
        description: 'Default `tenant`. Fixed once made. A `store` role holds permissions of scope `store` alone',
      }),
    ),
    permissions: Type.Optional(permissions),
  },
  { title: 'NewRole' },
)
export type NewRole = Static<typeof NewRole>

export const RoleChanges = Patch({ name, description, permissions }, { title: 'RoleChanges' })
export type RoleChanges = Static<typeof RoleChanges>

/** What `role.assigned` and `role.unassigned` tell. */
export const RoleAssignment = Closed(
  {
    user_id: Described(Uuid, 'The person'),
    role_id: Described(Uuid, 'The role'),
    role: Type.String({ description: 'Its name', examples: ['staff'] }),
    store_id: Nullable(Described(Uuid, 'Only in this store; null: in the whole tenant')),
  },
  { title: 'RoleAssignment', description: 'Which role who holds where' },
)
export type RoleAssignment = Static<typeof RoleAssignment>

/** A role as it stands on the wire; a system role shows what the modules declare for it. */
export function presentRole(row: RoleRow, catalogue: Catalogue): Role {
  return pickFields(Role, { ...row, permissions: [...effectivePermissions(catalogue, row, null)] })
}

export function presentAssignment(
  row: Pick<RoleAssignmentRow, 'user_id' | 'role_id' | 'store_id'>,
  role: Pick<RoleRow, 'name'>,
): RoleAssignment {
  return pickFields(RoleAssignment, { ...row, role: role.name })
}
