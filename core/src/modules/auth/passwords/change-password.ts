import type { Ctx } from '#kernel'
import { invalidCredentials, sessionRevoked } from '../errors.ts'
import { passwordChanged } from '../events.ts'
import { type Account, findAccountById, updatePassword, updateUserTokensUsed } from '../queries.ts'
import { tellPasswordChanged } from '../recovery/reset-password.ts'
import type { ChangePassword } from '../schema.ts'
import { endSessions } from '../sessions/sign-out.ts'
import { attemptInSession, clearFailures, requireNotLocked } from '../sign-in/lockout.ts'
import { provePassword } from '../sign-in/sign-in.ts'
import { hashPassword } from './hash.ts'
import { requireGoodPassword } from './new-passwords.ts'

/**
 * The signed-in person changes their password; their other sessions end. Throws 401 `invalid_credentials` when the
 * current one is wrong, which counts against the session, and 400 at `#/new_password`.
 */
export async function changePassword(ctx: Ctx, { current_password, new_password }: ChangePassword): Promise<void> {
  const account = await ctx.transaction((ctx) => requireUnlocked(ctx))
  const { user } = account
  requireGoodPassword(ctx, new_password, { context: [user.email, user.name], field: 'new_password' })
  const attempt = attemptInSession(ctx, user.email)
  const { passwordHash: oldHash } = await provePassword(ctx, { account, password: current_password, attempt })
  const hash = await hashPassword(ctx, new_password)
  await ctx.transaction(async (ctx) => {
    await requireNotLocked(ctx, attempt)
    const now = ctx.clock.now()
    if (!(await updatePassword(ctx.tx, user.id, oldHash, { hash, changed_at: now }))) throw invalidCredentials()
    await endSessions(ctx, user.id, ctx.principal?.sessionId ?? null)
    await updateUserTokensUsed(ctx.tx, 'reset_password', user.id, now)
    await clearFailures(ctx, attempt)
    await ctx.emit(passwordChanged, { id: user.id, label: user.name, storeId: null, after: {} })
    await tellPasswordChanged(ctx, user)
  })
}

async function requireUnlocked(ctx: Ctx): Promise<Account> {
  const account = await findAccountById(ctx.tx, ctx.userId)
  if (!account) throw sessionRevoked()
  await requireNotLocked(ctx, attemptInSession(ctx, account.user.email))
  return account
}
