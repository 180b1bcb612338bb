import { type Ctx, conflict, type EventDefinition, permissionDenied } from '#kernel'
import { countOpenSessions, endSessions } from '../../auth/index.ts'
import { type AccountPatch, changeAccount, lockUser, type UserRow } from '../../users/index.ts'
import { sessionsRevoked } from '../events.ts'
import { userChangedByOperator, userDisabledByOperator, userEnabledByOperator } from './events.ts'
import type { AccountChanges } from './schema.ts'

// Each works in a transaction of the system role, outside of any tenant, takes effect with the next request in every process,
// and leaves a record in the log of the installation; nothing where nothing changes, which false tells. Each throws 404 for
// nobody, 403 `permission_denied` for a super admin where an operator with less asks for it.

/** Changes name, or whether the address counts as confirmed. Throws 409 `conflict` for the last super admin's address. */
export function changePerson(ctx: Ctx, userId: string, patch: AccountChanges): Promise<boolean> {
  return change(ctx, userId, patch, userChangedByOperator)
}

/**
 * Keeps somebody from signing in, and ends what they are signed in with: their sessions, and API keys that act with their
 * rights. Throws 409 `conflict` for oneself and for the last super admin who can sign in.
 */
export async function disable(ctx: Ctx, userId: string): Promise<boolean> {
  const notOneself = ({ id }: UserRow) => {
    if (id === ctx.actor.id) throw conflict({ detail: 'Nobody disables their own account: somebody else does' })
  }
  const isNew = await change(ctx, userId, { status: 'disabled' }, userDisabledByOperator, notOneself)
  if (isNew) await endSessions(ctx, userId.toLowerCase())
  return isNew
}

/** Lets somebody sign in again; their keys are good again, no session is. */
export async function enable(ctx: Ctx, userId: string): Promise<boolean> {
  const isNew = await change(ctx, userId, { status: 'active' }, userEnabledByOperator)
  // One that was begun in the moment of disabling.
  if (isNew) await endSessions(ctx, userId.toLowerCase())
  return isNew
}

/** Ends every session of a person; false where there is none. */
export async function revokeSessions(ctx: Ctx, userId: string): Promise<boolean> {
  const { id, name } = await lockSubordinate(ctx, userId)
  if ((await countOpenSessions(ctx.tx, id, ctx.clock.now())) === 0) return false
  await endSessions(ctx, id)
  await ctx.emit(sessionsRevoked, { after: { id, name }, storeId: null })
  return true
}

async function change(
  ctx: Ctx,
  userId: string,
  patch: AccountPatch,
  event: EventDefinition<typeof userChangedByOperator.data>,
  guard: (before: UserRow) => void = () => {},
): Promise<boolean> {
  const { before, after } = await changeAccount(ctx, userId, patch, (before) => {
    requireNotAbove(ctx, before)
    guard(before)
  })
  if (after === before) return false
  await ctx.emit(event, { before: asAct(before), after: asAct(after), storeId: null })
  return true
}

async function lockSubordinate(ctx: Ctx, userId: string): Promise<UserRow> {
  const user = await lockUser(ctx.tx, userId.toLowerCase())
  requireNotAbove(ctx, user)
  return user
}

/** Throws 403 for who may everything, where an operator asks who may less. */
function requireNotAbove(ctx: Ctx, { is_super_admin }: UserRow): void {
  if (is_super_admin && !ctx.superAdmin && ctx.actor.type !== 'system')
    throw permissionDenied({ detail: 'They may more than you: only who has the role all may do this to them' })
}

const asAct = ({ id, name, status, email_verified_at }: UserRow) => ({
  id,
  name,
  status,
  email_verified: email_verified_at !== null,
})
