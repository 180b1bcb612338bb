import { type Ctx, conflict, OPERATOR_ROLES, type OperatorRole, type PartialOperatorRole } from '#kernel'
import { lockSuperAdmins, lockUser, updateUser } from './queries.ts'
import type { UserRow } from './table.ts'

/** What a person may do who runs the installation, in the order of the roles; nothing for anybody else. */
export const rolesOfOperator = ({ is_super_admin, operator_roles }: UserRow): OperatorRole[] =>
  OPERATOR_ROLES.filter((role) => (role === 'all' ? is_super_admin : operator_roles.includes(role)))

/**
 * Says anew what a person may do who runs the installation; no role takes everything away, from the next request on in
 * every process. Takes a transaction of the system role. Throws 404 for an unknown person, 409 `conflict` when nobody who
 * can sign in would have `all`. Emits no event: the module that knows why does. The rows stay locked.
 */
export async function changeOperatorRoles(
  ctx: Ctx,
  userId: string,
  roles: readonly OperatorRole[],
): Promise<{ before: UserRow; after: UserRow }> {
  const id = userId.toLowerCase()
  const requireAnotherAdmin = await lockAdmins(ctx)
  const before = await lockUser(ctx.tx, id)
  const is_super_admin = roles.includes('all')
  const operator_roles = PARTIAL.filter((role) => roles.includes(role))
  if (before.is_super_admin && !is_super_admin) requireAnotherAdmin(id)
  if (rolesOfOperator(before).join() === rolesOfOperator({ ...before, is_super_admin, operator_roles }).join())
    return { before, after: before }
  const after = await updateUser(ctx.tx, id, { is_super_admin, operator_roles, updated_at: ctx.clock.now() })
  await ctx.forget({ userId: id })
  return { before, after }
}

/** What operators change of anybody's account. Undefined: as it is. */
export interface AccountPatch {
  name?: string | undefined
  status?: UserRow['status']
  /** Whether the address counts as confirmed. */
  email_verified?: boolean | undefined
}

/**
 * Changes a person's account, from the next request on in every process. `guard` is asked, while the row is locked, whether
 * this person's may be changed. Takes a transaction of the system role. Throws 404 for an unknown person, 409 `conflict`
 * when nobody who can sign in would have `all`. Emits no event, as above; `after` is `before` where nothing changes.
 */
export async function changeAccount(
  ctx: Ctx,
  userId: string,
  patch: AccountPatch,
  guard: (before: UserRow) => void = () => {},
): Promise<{ before: UserRow; after: UserRow }> {
  const id = userId.toLowerCase()
  const requireAnotherAdmin = await lockAdmins(ctx)
  const before = await lockUser(ctx.tx, id)
  guard(before)
  const { name = before.name, status = before.status, email_verified = before.email_verified_at !== null } = patch
  const email_verified_at = email_verified ? (before.email_verified_at ?? ctx.clock.now()) : null
  const wanted = { name, status, email_verified_at }
  if (isAdminWhoCanSignIn(ctx, before) && !isAdminWhoCanSignIn(ctx, { ...before, ...wanted })) requireAnotherAdmin(id)
  if (name === before.name && status === before.status && email_verified_at === before.email_verified_at)
    return { before, after: before }
  const after = await updateUser(ctx.tx, id, { ...wanted, updated_at: ctx.clock.now() })
  await ctx.forget({ userId: id })
  return { before, after }
}

/**
 * Locks the super admins. Before the person, and in order: whoever takes one away at the same time waits here, and then sees
 * who is left. Gives what throws 409 `conflict` unless somebody else is among them.
 */
async function lockAdmins(ctx: Ctx): Promise<(userId: string) => void> {
  const admins = (await lockSuperAdmins(ctx.tx)).filter((admin) => isProven(ctx, admin))
  return (userId) => {
    if (admins.some(({ id }) => id !== userId)) return
    throw conflict({ detail: 'Nobody else with a confirmed address has the role all: give it to somebody first' })
  }
}

const isAdminWhoCanSignIn = (ctx: Ctx, user: UserRow): boolean =>
  user.is_super_admin && user.status === 'active' && isProven(ctx, user)

/**
 * An address that nobody has proven does not count, since an invitation may hand it to anybody. Without outgoing mail nobody
 * could prove one.
 */
const isProven = ({ config }: Ctx, { email_verified_at }: Pick<UserRow, 'email_verified_at'>): boolean =>
  config.mail.off || email_verified_at !== null

const PARTIAL = OPERATOR_ROLES.filter((role): role is PartialOperatorRole => role !== 'all')
