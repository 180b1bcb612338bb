import type { Ctx, DkimKey, MailSenders } from '#kernel'
import { findTenant } from '../tenants/index.ts'
import { mailDomainConfiguration } from './configuration.ts'
import { openSigningKey } from './keys.ts'
import { findSendingDomain } from './queries.ts'
import { selectorOf } from './records.ts'
import { mailReplyTo } from './settings.ts'
import type { DomainRow } from './table.ts'

/** The tenant's name and reply-to, its own domain while DNS is right, else the address of the installation. */
export const senders: MailSenders = {
  async senderOf(ctx, tenantId) {
    const dkim = ownKey(ctx)
    if (tenantId === null) return { dkim }
    const [tenant, domain, replyTo] = await Promise.all([
      findTenant(ctx.tx, tenantId),
      findSendingDomain(ctx.tx, tenantId),
      ctx.setting(mailReplyTo, tenantId),
    ])
    const name = tenant?.branding.email_from_name ?? tenant?.name ?? null
    const own = domain && signedBy(ctx, domain)
    return own ? { from: { name, address: own.address }, replyTo, dkim: own.dkim } : { from: { name }, replyTo, dkim }
  },
}

/** Null where the key cannot be opened: unsigned, a mail in the domain's name would be refused, or look forged. */
function signedBy(ctx: Ctx, row: DomainRow): { address: string; dkim: DkimKey } | null {
  try {
    const privateKey = openSigningKey(ctx, row)
    const dkim = { domainName: row.domain, keySelector: selectorOf(row, row.signing), privateKey }
    return { address: row.from_address, dkim }
  } catch (error) {
    ctx.log.error({ err: error, tenant_id: row.tenant_id }, 'the key of a mail domain cannot be used')
    return null
  }
}

/** The installation's own key, where it has one. */
function ownKey({ config }: Ctx): DkimKey | null {
  const { MAIL_DKIM_SELECTOR: keySelector, MAIL_DKIM_PRIVATE_KEY: privateKey } = config.of(mailDomainConfiguration)
  const address = config.mail.from?.address
  if (keySelector === null || privateKey === null || !address) return null
  return { domainName: address.slice(address.lastIndexOf('@') + 1), keySelector, privateKey }
}
