import type { Ctx } from '#kernel'
import { isOwner, listAssignments } from '../roles/index.ts'
import { listTenants, presentTenant } from '../tenants/index.ts'
import { listUserTenants } from '../users/index.ts'
import { presentRoles } from './presenting.ts'
import { findMember } from './queries.ts'

/**
 * The tenants in which a person is an active member, with the roles that they hold in each. Opens its own transactions:
 * the directory says which tenants to ask, and each is asked by its id.
 */
export async function listMemberships(ctx: Ctx, userId: string) {
  const entries = await ctx.transaction(({ tx }) => listUserTenants(tx, userId), { tenantId: null })
  const ids = entries.map(({ tenant_id }) => tenant_id)
  const across = { tenantId: null, role: 'system' } as const // a literal of TransactionOptions
  return ctx.transaction(async ({ tx }) => {
    const tenants = new Map((await listTenants(tx, ids)).map((tenant) => [tenant.id, tenant]))
    const standing = await Promise.all(
      ids.map((id) => Promise.all([findMember(tx, id, userId), listAssignments(tx, id, [userId])])),
    )
    return ids.flatMap((id, index) => {
      const tenant = tenants.get(id)
      const [member, assignments] = standing[index]! // one for each id
      if (!tenant || tenant.status === 'deleted' || member?.status !== 'active') return []
      const roles = presentRoles(assignments, null)
      return [{ tenant: presentTenant(tenant), roles, is_owner: isOwner(roles) }]
    })
  }, across)
}
