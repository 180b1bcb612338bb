import type { Ctx } from '#kernel'
import { invalidToken } from '../../members/index.ts'
import { changeUser, getUser } from '../../users/index.ts'
import { notingLink } from '../refusals/links.ts'
import { actorOf } from '../sign-in/complete-sign-in.ts'
import { sendVerification, spendUserToken } from './links.ts'

/**
 * Verifies an address by the link that was mailed to it. Throws 400 `invalid_token` or `token_expired`. Opens its own
 * transactions.
 */
export const verifyEmail = (ctx: Ctx, token: string): Promise<void> =>
  notingLink(ctx, { purpose: 'verify_email', token }, () =>
    ctx.transaction((ctx) => verify(ctx, token), { tenantId: null }),
  )

async function verify(ctx: Ctx, token: string): Promise<void> {
  const { user_id, email } = await spendUserToken(ctx, 'verify_email', token)
  const user = await getUser(ctx.tx, user_id)
  // The person has changed their address since the link was sent.
  if (user.email !== email) throw invalidToken()
  await changeUser(ctx.as(actorOf(user)), user.id, { email_verified_at: user.email_verified_at ?? ctx.clock.now() })
}

/** Mails the link that verifies the signed-in person's address; repeated requests send one mail. */
export async function requestVerification(ctx: Ctx, userId: string): Promise<void> {
  await ctx.enqueue(sendVerification, { user_id: userId }, { dedupeKey: `auth.send_verification:${userId}` })
}
