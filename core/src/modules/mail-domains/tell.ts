import { type Ctx, recipientOf } from '#kernel'
import { listOwners } from '../members/index.ts'
import { getTenant } from '../tenants/index.ts'
import { mailDomainFailingMail } from './mails.ts'
import type { DomainRow } from './table.ts'

/** Mails the owners that mails come from the address of the installation again. */
export async function tellOwners(ctx: Ctx, { domain, problem }: DomainRow): Promise<void> {
  const { name: tenantName } = await getTenant(ctx.tx, ctx.tenantId)
  for (const owner of await listOwners(ctx)) {
    const data = { name: owner.name, tenantName, domain, problem: problem ?? 'unreachable', at: ctx.clock.now() }
    await ctx.mail(mailDomainFailingMail, { ...recipientOf(owner), data })
  }
}
