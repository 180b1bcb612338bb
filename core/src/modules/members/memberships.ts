import { type Ctx, pageFrom } from '#kernel'
import { isOwner } from '../roles/index.ts'
import { listTenants, presentTenant } from '../tenants/index.ts'
import { listUserTenantsAfter } from '../users/index.ts'
import { presentRoles } from './present.ts'
import { listActiveAmong, listAssignmentsAmong } from './queries.ts'

/**
 * The tenants in which a person is an active member, with the roles they hold in each. Reads one page of the directory
 * and then only these tenants, so the cost does not depend on how many there are. Opens its own transactions.
 */
export async function listMemberships(ctx: Ctx, userId: string, limit: number) {
  const { data: entries, next_cursor } = await ctx.transaction(
    ({ tx }) => pageFrom(ctx, (after, most) => listUserTenantsAfter(tx, userId, after, most), { by: ORDER, limit }),
    { tenantId: null, readOnly: true },
  )
  const ids = entries.map(({ tenant_id }) => tenant_id)
  const across = { tenantId: null, role: 'system', readOnly: true } as const // a literal of TransactionOptions
  const [tenants, active, assignments] = await ctx.transaction(
    ({ tx }) =>
      Promise.all([listTenants(tx, ids), listActiveAmong(tx, ids, userId), listAssignmentsAmong(tx, ids, userId)]),
    across,
  )
  const tenantOf = new Map(tenants.map((tenant) => [tenant.id, tenant]))
  const isActive = new Set(active.map(({ tenant_id }) => tenant_id))
  const held = Map.groupBy(assignments, ({ tenant_id }) => tenant_id)
  const data = ids.flatMap((id) => {
    const tenant = tenantOf.get(id)
    if (!tenant || tenant.status === 'deleted' || !isActive.has(id)) return []
    const roles = presentRoles(held.get(id) ?? [], null)
    return [{ tenant: presentTenant(ctx, tenant), roles, is_owner: isOwner(roles) }]
  })
  return { data, next_cursor }
}

const ORDER = ['joined_at', 'tenant_id'] as const // names of columns
