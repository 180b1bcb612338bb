import type { Ctx } from '#kernel'
import type { UserRow } from '../../users/index.ts'
import { hashPassword } from '../passwords/hash.ts'
import { findAccountByEmail } from '../queries.ts'
import { requestVerification } from '../recovery/verify-email.ts'
import { insertBootstrap, updateBootstrapCompleted } from '../tokens/key-queries.ts'
import { createAccount, requireSound } from './register.ts'

/** Takes transactions of the installation: no request does any of this. */
const system = { role: 'system', tenantId: null } as const // words are types

/**
 * Gives somebody an account with a password, whom no invitation and no form asked: for the command line. Who was invited
 * somewhere keeps their id. No transaction may be open. Throws 400 for an address or password that is none, 409
 * `email_taken` for who has a password already.
 */
export async function openAccount(
  ctx: Ctx,
  { email, name, password }: { email: string; name: string; password: string },
): Promise<UserRow> {
  const address = requireSound(ctx, { email, password }, [name])
  const hash = await hashPassword(ctx, password)
  return ctx.transaction(async (ctx) => {
    const known = (await findAccountByEmail(ctx.tx, address))?.user
    const user = await createAccount(ctx, { email: address, name, hash, known })
    await requestVerification(ctx, user.id)
    return user
  }, system)
}

/** There is a super admin now, whoever made them: the bootstrap token is good for nothing any more. */
export async function closeBootstrap({ tx, clock }: Ctx, userId: string): Promise<void> {
  await insertBootstrap(tx, { token_hash: null, created_at: clock.now() })
  await updateBootstrapCompleted(tx, userId, clock.now())
}
