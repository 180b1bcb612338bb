import { type Ctx, conflict, OPERATOR_ROLES, type OperatorRole, type PartialOperatorRole } from '#kernel'
import { lockSuperAdmins, lockUser, updateUser } from './queries.ts'
import type { UserRow } from './table.ts'

/** What a person may do who runs the installation, in the order of the roles; nothing for anybody else. */
export const rolesOfOperator = ({ is_super_admin, operator_roles }: UserRow): OperatorRole[] =>
  OPERATOR_ROLES.filter((role) => (role === 'all' ? is_super_admin : operator_roles.includes(role)))

/**
 * Says anew what a person may do who runs the installation; no role takes everything away, from the next request on in
 * every process. Takes a transaction of the system role. Throws 404 for an unknown person, 409 `conflict` when nobody who
 * can sign in would have `all`: an address that nobody has proven does not count, since an invitation may hand it to
 * anybody. Emits no event: the module that knows why does. The rows stay locked.
 */
export async function changeOperatorRoles(
  ctx: Ctx,
  userId: string,
  roles: readonly OperatorRole[],
): Promise<{ before: UserRow; after: UserRow }> {
  const id = userId.toLowerCase()
  // Before the person, and in order: whoever takes `all` away at the same time waits here, and then sees who is left.
  const admins = (await lockSuperAdmins(ctx.tx)).filter((admin) => isProven(ctx, admin))
  const before = await lockUser(ctx.tx, id)
  const is_super_admin = roles.includes('all')
  const operator_roles = PARTIAL.filter((role) => roles.includes(role))
  if (before.is_super_admin && !is_super_admin && !admins.some((admin) => admin.id !== id))
    throw conflict({ detail: 'Nobody else with a confirmed address has the role all: give it to somebody first' })
  if (rolesOfOperator(before).join() === rolesOfOperator({ ...before, is_super_admin, operator_roles }).join())
    return { before, after: before }
  const after = await updateUser(ctx.tx, id, { is_super_admin, operator_roles, updated_at: ctx.clock.now() })
  await ctx.forget({ userId: id })
  return { before, after }
}

/** Without outgoing mail nobody could prove an address. */
const isProven = ({ config }: Ctx, { email_verified_at }: Pick<UserRow, 'email_verified_at'>): boolean =>
  config.mail.off || email_verified_at !== null

const PARTIAL = OPERATOR_ROLES.filter((role): role is PartialOperatorRole => role !== 'all')
