import { type Ctx, type MailDefinition, outsideTenants, recipientOf } from '#kernel'
import { withdrawGlobalMails } from '../mail/index.ts'
import { listOwners } from '../members/index.ts'
import type { RemovalMail } from './mails.ts'
import { updateMailed } from './queries.ts'
import type { RemovalRow } from './table.ts'

/**
 * Mails the owners of the tenant of the context, in the name of the installation: what the tenant itself would send waits. Which
 * mails these are is noted, since they name the tenant and go with it.
 */
export async function mailOwners(
  ctx: Ctx,
  mail: MailDefinition<typeof RemovalMail>,
  about: { tenantName: string; at: string },
): Promise<void> {
  const ids: string[] = []
  for (const owner of await listOwners(ctx)) {
    const id = await outsideTenants(ctx).mail(mail, { ...recipientOf(owner), data: { name: owner.name, ...about } })
    if (id !== null) ids.push(id)
  }
  await updateMailed(ctx.tx, ctx.tenantId, ids)
}

/** Removes what was mailed about it, also what has not left yet; returns how many mails that were. */
export const withdrawMails = (ctx: Ctx, { mail_ids }: RemovalRow): Promise<number> => withdrawGlobalMails(ctx, mail_ids)
