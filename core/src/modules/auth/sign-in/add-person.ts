import { type Ctx, consume, type Static } from '#kernel'
import { createMember, getMember, inviteMember, type Member, requireProvenAddress } from '../../members/index.ts'
import { findUserByEmail } from '../../users/index.ts'
import { hashPassword } from '../passwords/hash.ts'
import { requestVerification } from '../recovery/verify-email.ts'
import type { NewPerson } from '../schema.ts'
import { createAccount, requireSound } from './register.ts'

type Input = Static<typeof NewPerson>

/**
 * Adds somebody to the tenant. With a password, a new person gets an account at once; a person with an account is
 * invited and the password ignored, because a tenant does not set other people's passwords. Everybody gets a mail, so
 * it throws 403 when the caller has not verified their own address.
 */
export async function addPerson(ctx: Ctx, input: Input): Promise<Member> {
  const { password } = input
  const known = await ctx.transaction(({ tx }) => findUserByEmail(tx, input.email), { readOnly: true })
  const email = requireSound(ctx, { email: input.email, password: known ? undefined : password }, [input.name])
  await ctx.transaction((ctx) => requireProvenAddress(ctx), { readOnly: true })
  if (known || password === undefined) return ctx.transaction((ctx) => invite(ctx, input))
  const hash = await hashPassword(ctx, password)
  return ctx.transaction((ctx) => create(ctx, { ...input, email, hash }))
}

async function invite(ctx: Ctx, { email, name, phone, job_title, roles }: Input): Promise<Member> {
  const { user_id } = await inviteMember(ctx, { email, name, phone, job_title, roles })
  await consume(ctx, 'users')
  return getMember(ctx, user_id)
}

async function create(
  ctx: Ctx,
  { email, name, hash, phone, job_title, roles }: Input & { hash: string },
): Promise<Member> {
  const user = await createAccount(ctx, { email, name, hash })
  const member = await createMember(ctx, { user, name: user.name, phone, job_title, roles })
  await requestVerification(ctx, user.id)
  await consume(ctx, 'users')
  return member
}
