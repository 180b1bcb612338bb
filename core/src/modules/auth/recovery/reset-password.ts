import { type Ctx, hashToken } from '#kernel'
import { requireMail } from '../../mail/index.ts'
import { invalidToken } from '../../members/index.ts'
import { changeUser, normalizeEmail, type UserRow } from '../../users/index.ts'
import { passwordReset } from '../events.ts'
import { passwordChangedNotice } from '../notifications.ts'
import { hashPassword } from '../passwords/hash.ts'
import { requireGoodPassword } from '../passwords/new-passwords.ts'
import { type Account, findAccountById, updateUserTokensUsed, upsertPassword } from '../queries.ts'
import { notingLink } from '../refusals/links.ts'
import type { ResetPassword } from '../schema.ts'
import { endSessions } from '../sessions/sign-out.ts'
import { actorOf } from '../sign-in/complete-sign-in.ts'
import { clearAccount } from '../sign-in/lockout.ts'
import { requireUserToken, sendReset, spendUserToken } from './links.ts'

/**
 * Requests a link to choose a new password. It does the same whether or not the address has an account, because a job
 * looks that up after the answer was sent.
 */
export async function requestReset(ctx: Ctx, email: string): Promise<void> {
  requireMail(ctx)
  const address = normalizeEmail(email) ?? email
  const dedupeKey = `auth.send_reset:${hashToken(address).toString('base64url')}`
  await ctx.enqueue(sendReset, { email: address }, { dedupeKey })
}

/**
 * Sets a new password by the token of a mail, which also proves the address, and ends all sessions of the person. Signs
 * nobody in. Throws 400 `invalid_token`, `token_expired`, or `invalid_request` for a password that is not good enough.
 */
export const resetPassword = (ctx: Ctx, input: ResetPassword): Promise<void> =>
  notingLink(ctx, { purpose: 'reset_password', token: input.token }, () => reset(ctx, input))

async function reset(ctx: Ctx, { token, password }: ResetPassword): Promise<void> {
  const { user, homeTenantId } = await ctx.transaction((ctx) => requireHolder(ctx, token), { tenantId: null })
  requireGoodPassword(ctx, password, { context: [user.email, user.name] })
  const hash = await hashPassword(ctx, password)
  // In the tenant last used, where the reset is recorded.
  await ctx.transaction((ctx) => replacePassword(ctx.as(actorOf(user)), { token, hash }), { tenantId: homeTenantId })
}

async function requireHolder(ctx: Ctx, token: string): Promise<Account> {
  const { user_id, email } = await requireUserToken(ctx, 'reset_password', token)
  const account = await findAccountById(ctx.tx, user_id)
  // The link is void when the person has changed their address since it was sent.
  if (!account || account.user.email !== email || account.user.status !== 'active') throw invalidToken()
  return account
}

async function replacePassword(ctx: Ctx, { token, hash }: { token: string; hash: string }): Promise<void> {
  const { user_id } = await spendUserToken(ctx, 'reset_password', token)
  const now = ctx.clock.now()
  const { user } = await requireAccount(ctx, user_id)
  await upsertPassword(ctx.tx, { user_id, hash, changed_at: now })
  await endSessions(ctx, user_id)
  await updateUserTokensUsed(ctx.tx, 'reset_password', user_id, now)
  await clearAccount(ctx, user.email)
  if (user.email_verified_at === null) await changeUser(ctx, user_id, { email_verified_at: now })
  await ctx.emit(passwordReset, { id: user_id, label: user.name, storeId: null, after: {} })
  await tellPasswordChanged(ctx, user)
}

async function requireAccount(ctx: Ctx, userId: string): Promise<Account> {
  const account = await findAccountById(ctx.tx, userId)
  if (!account) throw invalidToken()
  return account
}

/** Tells a person that their password was changed. */
export async function tellPasswordChanged(ctx: Ctx, user: UserRow): Promise<void> {
  const data = { at: ctx.clock.now(), ip_address: ctx.origin.ipAddress }
  await ctx.notify(passwordChangedNotice, { to: [user], data })
}
