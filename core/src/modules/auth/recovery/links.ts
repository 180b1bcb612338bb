import { Closed, type Ctx, defineJob, HOURS, hashToken, momentAt, newId, randomToken, recipientOf, Type } from '#kernel'
import { endPause } from '../../mail/index.ts'
import { invalidToken, tokenExpired } from '../../members/index.ts'
import { findUser, findUserByEmail, type UserRow } from '../../users/index.ts'
import { resetPasswordMail, verifyEmailMail } from '../mails.ts'
import { findUserToken, insertUserToken, updateUserTokenUsed } from '../queries.ts'

import type { TokenPurpose, UserTokenRow } from '../table.ts'

const LIFE_MS: Record<TokenPurpose, number> = { verify_email: 24 * HOURS, reset_password: 1 * HOURS }
const MAILS = { verify_email: verifyEmailMail, reset_password: resetPasswordMail } satisfies Record<
  TokenPurpose,
  unknown
>

/** Mails a person the link that verifies their address, unless it is verified by now. */
export const sendVerification = defineJob('auth.send_verification', {
  payload: Closed({ user_id: Type.String() }),
  async handler(ctx, { user_id }) {
    const user = await findUser(ctx.tx, user_id)
    if (user && user.email_verified_at === null) await mailLink(ctx, user, 'verify_email')
  },
})

/** Mails the link for a new password to the account of an address; does nothing when there is no account. */
export const sendReset = defineJob('auth.send_reset', {
  payload: Closed({ email: Type.String() }),
  async handler(ctx, { email }) {
    const user = await findUserByEmail(ctx.tx, email)
    if (user?.status === 'active') await mailLink(ctx, user, 'reset_password')
  },
})

/** Makes a link and mails it, unless the person was mailed one of this kind a short time ago that is still valid. */
async function mailLink(ctx: Ctx, user: UserRow, purpose: TokenPurpose): Promise<void> {
  const data = () => makeLink(ctx, user, purpose)
  await ctx.mail(MAILS[purpose], { ...recipientOf(user), data })
}

async function makeLink(ctx: Ctx, user: UserRow, purpose: TokenPurpose) {
  const token = randomToken()
  const now = ctx.clock.ms()
  const expiresAt = momentAt(now + LIFE_MS[purpose])
  await insertUserToken(ctx.tx, {
    id: newId(),
    user_id: user.id,
    purpose,
    email: user.email,
    token_hash: hashToken(token),
    created_at: momentAt(now),
    expires_at: expiresAt,
    used_at: null,
  })
  return { name: user.name, token, expiresAt }
}

/** Checks a token without using it up. Throws 400 `invalid_token` or `token_expired`. */
export async function requireUserToken(ctx: Ctx, purpose: TokenPurpose, token: string): Promise<UserTokenRow> {
  const row = await findUserToken(ctx.tx, purpose, hashToken(token))
  if (!row || row.used_at !== null) throw invalidToken()
  if (row.expires_at <= ctx.clock.now()) throw tokenExpired()
  return row
}

/** Uses up a token: of any number of simultaneous attempts one succeeds. Throws as `requireUserToken` does. */
export async function spendUserToken(ctx: Ctx, purpose: TokenPurpose, token: string): Promise<UserTokenRow> {
  const spent = await updateUserTokenUsed(ctx.tx, purpose, hashToken(token), ctx.clock.now())
  if (spent) {
    // This link cannot be used again, so the next one may be requested at once.
    await endPause(ctx, MAILS[purpose], spent.email)
    return spent
  }
  await requireUserToken(ctx, purpose, token)
  throw invalidToken()
}
