import { type Ctx, notFound, page } from '#kernel'
import { changeOperatorRoles, listOperators, rolesOfOperator, type UserRow } from '../users/index.ts'
import { operatorChanged, operatorRemoved } from './events.ts'
import { type NewOperator, type Operator, presentOperator } from './schema.ts'

/** One page of those who run the installation, the newest account first. */
export async function browseOperators(ctx: Ctx) {
  const { data, next_cursor } = await page(ctx, listOperators(ctx.tx), { by: ['created_at', 'id'] })
  return { data: data.map(presentOperator), next_cursor }
}

/**
 * Makes a person an operator, or says anew what one may do. Throws 404 for an unknown person, 409 `conflict` when nobody
 * would have `all`. Recorded unless nothing changes.
 */
export async function setOperator(ctx: Ctx, { user_id, roles }: NewOperator): Promise<Operator> {
  const { before, after } = await changeOperatorRoles(ctx, user_id, roles)
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
