import { at, conflict, defineRoute, notFound, type Route } from '#kernel'
import { readDomain } from './names.ts'
import { readMailDomain, removeMailDomain, rotateMailDomainKey, setMailDomain, verifyMailDomain } from './operations.ts'
import { MailDomain, MailDomainPatch } from './schema.ts'

const path = '/tenants/current/mail-domain'
const access = { permission: 'mail.manage' }
const rateLimit = 'mail_domains'

export const mailDomainRoutes: readonly Route[] = [
  defineRoute({
    method: 'GET',
    path,
    summary: "Get the tenant's own domain for mails",
    description: 'With the records to copy into its DNS, and what was last seen of each.',
    access: { permission: 'mail.view' },
    response: { 200: MailDomain },
    errors: [notFound],
    handler: readMailDomain,
  }),
  defineRoute({
    method: 'PUT',
    path,
    summary: 'Name the domain that mails of the tenant come from',
    description:
      'Mails come from it once its DNS shows the records of the answer, which is looked at by itself. Another domain than before begins anew. Without `from_address` the address stays, or is no-reply of the new domain.',
    access,
    rateLimit,
    transaction: 'manual',
    body: MailDomainPatch,
    check: ({ domain }, { config }) => {
      // An empty or a long one is what the schema says something of.
      const read = typeof domain === 'string' && domain !== '' ? readDomain(domain, config) : { problem: undefined }
      return 'problem' in read && read.problem !== undefined ? [at('domain', read.problem)] : []
    },
    response: { 200: MailDomain },
    errors: [conflict],
    handler: (ctx, { body }) => setMailDomain(ctx, body),
  }),
  defineRoute({
    method: 'DELETE',
    path,
    summary: "Give up the tenant's own domain for mails",
    description: 'Mails come from the address of the installation again. The keys are forgotten.',
    access,
    response: { 204: null },
    errors: [notFound],
    handler: removeMailDomain,
  }),
  defineRoute({
    method: 'POST',
    path: `${path}/verify`,
    name: 'verifyMailDomain',
    summary: "Ask the DNS of the tenant's domain for mails now",
    access,
    rateLimit,
    transaction: 'manual',
    response: { 200: MailDomain },
    errors: [notFound],
    handler: verifyMailDomain,
  }),
  defineRoute({
    method: 'POST',
    path: `${path}/rotate`,
    name: 'rotateMailDomainKey',
    summary: 'Sign mails with the next key of the domain',
    description:
      'As soon as DNS shows it; until then the current one signs. The previous key is kept for seven days, for mails under way; then another one takes its place, whose record has to be copied before the next rotation.',
    access,
    rateLimit,
    transaction: 'manual',
    response: { 200: MailDomain },
    errors: [conflict, notFound],
    handler: rotateMailDomainKey,
  }),
]
