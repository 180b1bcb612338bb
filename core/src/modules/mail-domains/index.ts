import { DAYS, defineModule, HOURS } from '#kernel'
import { mail } from '../mail/index.ts'
import { tenants } from '../tenants/index.ts'
import { checkTenantDomain, findDueDomains } from './check.ts'
import { mailDomainConfiguration } from './configuration.ts'
import { mailDns } from './dns.ts'
import * as events from './events.ts'
import { MOST_AHEAD_MS, OVERLAP_MS } from './judge.ts'
import { sealedKeys } from './keys.ts'
import { domainFailingNotice } from './notifications.ts'
import { deleteClaims } from './queries.ts'
import { mailDomainRoutes } from './routes.ts'
import { senders } from './sender.ts'
import { mailReplyTo } from './settings.ts'

export * from './events.ts'
export { MailDomain } from './schema.ts'
export { mailReplyTo } from './settings.ts'

/** In whose name mails of a tenant go out: its name, where answers go, and a domain of its own with keys (DKIM). */
export const mailDomains = defineModule({
  name: 'mail-domains',
  description: "The domain of a tenant's own that its mails come from, proven and signed by DNS.",
  dependsOn: [tenants, mail],
  migrations: new URL('./migrations/', import.meta.url),
  messages: new URL('./messages/', import.meta.url),
  configuration: mailDomainConfiguration,
  rateLimits: {
    mail_domains: {
      per: 'tenant',
      max: 30,
      windowSeconds: 3_600,
      description: 'Naming a domain for mails and asking its DNS, which makes keys and waits for name servers',
    },
  },
  events: Object.values(events),
  routes: mailDomainRoutes,
  jobs: [checkTenantDomain],
  schedules: [findDueDomains],
  settings: [mailReplyTo],
  notifications: [domainFailingNotice],
  resources: [mailDns],
  sealed: [sealedKeys],
  senders,
  moments: [
    { table: 'mail_domains', column: 'next_check_at', aheadMs: MOST_AHEAD_MS + 1 * HOURS },
    { table: 'mail_domains', column: 'retires_at', aheadMs: OVERLAP_MS + 1 * DAYS },
  ],
  exported: {
    mail_domains: {
      without: ['private_1', 'private_2'],
      imported: { never: 'whose a domain is has to be proven here: add it again' },
    },
  },
  holdings: [{ table: 'mail_domain_claims', columns: ['tenant_id'], remove: deleteClaims }],
  cases: () => import('./mail-domains.cases.ts'),
})
