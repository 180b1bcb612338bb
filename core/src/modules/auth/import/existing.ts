import type { Ctx } from '#kernel'
import { rolesOfOperator } from '../../users/index.ts'
import { findAccountById } from '../queries.ts'
import type { Entry } from './entry.ts'
import type { Seen } from './seen.ts'

/**
 * Why somebody who is there already joins no tenant by an entry, as a sentence without its full stop; null: they may. An address
 * that nobody has confirmed may have been registered by anybody, who would come into the tenant. The password of the entry is
 * no stranger's, nor are those that this import has written, which `ours` remembers by their addresses.
 */
export async function refusalOf(ctx: Ctx, userId: string, entry: Entry, ours: Seen): Promise<string | null> {
  const { email, passwordHash } = entry
  const account = await findAccountById(ctx.tx, userId)
  if (!account) return `${email} was removed meanwhile`
  if (rolesOfOperator(account.user).length > 0)
    return `${email} runs the installation and is given no role in a tenant: invite them`
  // Who has no password gets one by a mail alone, once they belong to a tenant.
  if (account.user.email_verified_at !== null || account.passwordHash === null) return null
  if (account.passwordHash === passwordHash || ours.has(email)) return null
  return `${email} has an account whose address is not confirmed: they have to confirm it first, or be invited`
}
