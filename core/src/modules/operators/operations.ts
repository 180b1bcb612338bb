import { type Ctx, conflict, notFound, page } from '#kernel'
import { findAccountById } from '../auth/index.ts'
import { changeOperatorRoles, listOperators, rolesOfOperator, type UserRow } from '../users/index.ts'
import { operatorChanged, operatorRemoved } from './events.ts'
import { type NewOperator, type Operator, presentOperator } from './schema.ts'

/** One page of those who run the installation, the newest account first. */
export async function browseOperators(ctx: Ctx) {
  const { data, next_cursor } = await page(ctx, listOperators(ctx.tx), { by: ['created_at', 'id'] })
  return { data: data.map(presentOperator), next_cursor }
}

/**
 * Makes a person an operator at the wish of another one. Throws what `setOperator` throws, and 409 `conflict` for a role
 * that is new to somebody who cannot be told from whoever opens their invitation.
 */
export async function appointOperator(ctx: Ctx, wanted: NewOperator): Promise<Operator> {
  return setOperator(ctx, wanted, requireWayIn)
}

/** Throws 409 `conflict` unless the person has proven their address, or has a password where no mail can prove one. */
async function requireWayIn(ctx: Ctx, { id, email_verified_at }: UserRow): Promise<void> {
  if (email_verified_at !== null) return
  if (!ctx.config.mail.off)
    throw conflict({
      detail:
        'They have not confirmed their address yet: they accept their invitation first, or open the link that was mailed to them',
    })
  if ((await findAccountById(ctx.tx, id))?.passwordHash == null)
    throw conflict({ detail: 'They have no password yet and cannot sign in' })
}

/**
 * Makes a person an operator, or says anew what one may do. `guard` is asked when they would have a role that they had
 * not. Throws 404 for an unknown person, 409 `conflict` when nobody
 * would have `all`. Recorded unless nothing changes.
 */
export async function setOperator(
  ctx: Ctx,
  { user_id, roles }: NewOperator,
  guard?: (ctx: Ctx, person: UserRow) => Promise<void>,
): Promise<Operator> {
  const { before, after } = await changeOperatorRoles(ctx, user_id, roles)
  const held = rolesOfOperator(before)
  if (rolesOfOperator(after).some((role) => !held.includes(role))) await guard?.(ctx, before)
  if (after !== before) await ctx.emit(operatorChanged, { before: recordOf(before), after: recordOf(after) })
  return presentOperator(after)
}

/** Takes all roles from an operator. Throws 404 for anybody else, 409 as above. */
export async function removeOperator(ctx: Ctx, userId: string): Promise<void> {
  const { before, after } = await changeOperatorRoles(ctx, userId, [])
  if (after === before) throw notFound()
  await ctx.emit(operatorRemoved, { before: recordOf(before) })
}

const recordOf = (row: UserRow) => ({ id: row.id, name: row.name, roles: rolesOfOperator(row) })
