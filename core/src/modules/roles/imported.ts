import { type Ctx, type ExportedRow, type ImportRule, type ImportTools, type RestoreRule, stamp } from '#kernel'
import { findTenant } from '../tenants/index.ts'
import { catalogueOf } from './catalogue.ts'
import { findLookAlike } from './look-alikes.ts'
import { keyOfName } from './names.ts'
import { getSystemRole, insertRoles, listAllRoles } from './queries.ts'
import { NewRole } from './schema.ts'
import { SYSTEM_ROLES } from './system-roles.ts'

/** What is taken of the roles of a tenant that comes from elsewhere: of built-in ones that they are there, and of others what a request could say. */
export const importedRoles: ImportRule = {
  columns: NewRole.properties,
  problem(_tools, { key, name }) {
    if (key !== null) return SYSTEM_ROLES.some((role) => role.key === key) ? null : 'it is no built-in role'
    return findLookAlike(String(name)) === undefined ? null : 'it would be taken for a built-in role'
  },
  anew: (tools, row) => (row.key === null ? ownRole(tools, row) : builtIn(row)),
  completed: addMissing,
}

function ownRole({ registry }: ImportTools, { name, scope, description, permissions }: ExportedRow) {
  const { byCode } = catalogueOf({ registry })
  const kept = (permissions as string[]).filter((code) => {
    const permission = byCode.get(code)
    return permission !== undefined && (scope === 'tenant' || permission.scope === 'store')
  })
  return { ...{ is_system: false, name, name_key: keyOfName(String(name)), scope, description }, permissions: kept }
}

function builtIn({ key }: ExportedRow) {
  const role = SYSTEM_ROLES.find((each) => each.key === key)
  if (!role) throw new Error(`There is no built-in role ${String(key)}`)
  const { scope, description } = role
  return { is_system: true, name: role.key, name_key: role.key, scope, description, permissions: [] }
}

/** A tenant has every built-in role. */
async function addMissing(ctx: Ctx): Promise<void> {
  const here = await listAllRoles(ctx.tx, ctx.tenantId)
  const missing = SYSTEM_ROLES.filter(({ key }) => !here.some((role) => role.key === key))
  if (missing.length === 0) return
  const rows = missing.map((role) => ({
    ...stamp(ctx),
    ...role,
    name: role.key,
    name_key: role.key,
    is_system: true,
    permissions: [],
  }))
  await insertRoles(ctx.tx, rows)
}

/**
 * Who owns the tenant is left alone: of everybody who did, only its owner of now gets that back. Others may have been made less since, and owners make
 * owners.
 */
export const restoredAssignments: RestoreRule = {
  async missing({ tx, tenantId }, rows) {
    const owner = await getSystemRole(tx, tenantId, 'owner')
    const ownerId = (await findTenant(tx, tenantId))?.owner_id
    return rows.map(({ role_id, user_id }) => (role_id === owner.id && user_id !== ownerId ? null : {}))
  },
}
