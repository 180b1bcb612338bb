import { type Ctx, conflict, notFound, outsideTenants, permissionDenied, stamp } from '#kernel'
import { openImpersonation, supportAccess, supportAccessUntil } from '../auth/index.ts'
import { findMember, listOwners } from '../members/index.ts'
import { getTenant } from '../tenants/index.ts'
import { getUser, type UserRow } from '../users/index.ts'
import { endImpersonation } from './end.ts'
import { impersonationBegun } from './events.ts'
import { impersonationBegunNotice } from './notifications.ts'
import { recordOf } from './present.ts'
import { insertImpersonation } from './queries.ts'
import type { Impersonation, NewImpersonation } from './schema.ts'
import type { ImpersonationRow } from './table.ts'

/**
 * Lets the operator who calls act as a member of the tenant of the context. Called as the system role. It is recorded in
 * the tenant's log and in that of the installation, and the person and all owners are told, in the same transaction. Throws 403
 * `permission_denied` where the operator may only read, or the tenant does not let support in; 404 for no such tenant or member; 409 `conflict` for
 * a tenant or member that is not active.
 */
export async function beginImpersonation(
  ctx: Ctx,
  { user_id, reason, write = false }: NewImpersonation,
): Promise<Impersonation> {
  if (write && !ctx.superAdmin)
    throw permissionDenied({ detail: 'The role support only reads as somebody else; to write takes the role all' })
  const tenant = await getTenant(ctx.tx, ctx.tenantId)
  if (tenant.status !== 'active') throw conflict({ detail: 'The tenant is not active: nobody acts in it' })
  const grantedUntil = await requireSupportAccess(ctx)
  const [person, operator] = [await requireActive(ctx, user_id.toLowerCase()), await getUser(ctx.tx, ctx.userId)]
  const opened = await openImpersonation(ctx, { userId: person.id, readOnly: !write, grantedUntil })
  const row = await insertImpersonation(ctx.tx, {
    ...stamp(ctx),
    id: opened.sessionId,
    user_id: person.id,
    user_name: person.name,
    operator_id: operator.id,
    operator_name: operator.name,
    reason,
    read_only: !write,
    expires_at: opened.expiresAt,
  })
  await tell(ctx, row, { person, tenantName: tenant.name })
  return {
    access_token: opened.accessToken,
    token_type: 'Bearer',
    expires_in: opened.expiresIn,
    expires_at: opened.expiresAt,
    tenant_id: tenant.id,
    user_id: person.id,
    session_id: opened.sessionId,
    read_only: !write,
  }
}

/** Until when the tenant lets support in; null: without end. Throws 403, saying what the tenant wants. */
async function requireSupportAccess(ctx: Ctx): Promise<string | null> {
  const [access, until] = [await ctx.setting(supportAccess), await ctx.setting(supportAccessUntil)]
  if (access === 'always') return null
  if (until !== null) return until
  throw permissionDenied({
    detail:
      access === 'never'
        ? 'The tenant forbids that support acts as its people (support_access: never)'
        : 'The tenant lets support in on request: have somebody there set support_access_until first (support_access: on_request)',
  })
}

async function requireActive(ctx: Ctx, userId: string): Promise<UserRow> {
  const member = await findMember(ctx.tx, ctx.tenantId, userId)
  if (!member) throw notFound({ detail: 'The tenant has no such member' })
  const user = await getUser(ctx.tx, userId)
  if (member.status !== 'active' || user.status !== 'active') throw conflict({ detail: 'The member is not active' })
  if (user.id === ctx.userId) throw conflict({ detail: 'This is you: sign in to the tenant instead' })
  return user
}

async function tell(
  ctx: Ctx,
  row: ImpersonationRow,
  { person, tenantName }: { person: UserRow; tenantName: string },
): Promise<void> {
  const content = { label: row.user_name, storeId: null, after: recordOf(row, tenantName) }
  await ctx.emit(impersonationBegun, content)
  await outsideTenants(ctx).emit(impersonationBegun, content)
  await ctx.enqueue(endImpersonation, { id: row.id }, { runAt: row.expires_at })
  const owners = (await listOwners(ctx)).filter(({ id }) => id !== person.id)
  const access: 'reads' | 'writes' = row.read_only ? 'reads' : 'writes'
  const { user_name, operator_name, reason, expires_at } = row
  const data = { person: user_name, operator: operator_name, reason, access, until: expires_at }
  await ctx.notify(impersonationBegunNotice, { to: [person, ...owners], data })
}
