import { defineEvent } from '#kernel'
import { MailDomainChange } from './schema.ts'

const data = MailDomainChange

export const mailDomainCreated = defineEvent('mail_domain.created', {
  description: 'A domain was named that mails are to come from',
  data,
})
export const mailDomainUpdated = defineEvent('mail_domain.updated', {
  description:
    'The address that mails come from changed, or its domain, or a rotation of its keys was asked for or ended',
  data,
})
export const mailDomainDeleted = defineEvent('mail_domain.deleted', {
  description: 'Mails do not come from the own domain any more',
  data,
})
export const mailDomainVerified = defineEvent('mail_domain.verified', {
  description: 'DNS shows what it should: mails come from the domain from now on',
  data,
})
export const mailDomainFailing = defineEvent('mail_domain.failing', {
  description: 'DNS does not show any more what it should: mails come from the address of the installation again',
  data,
})
export const mailDomainKeyRotated = defineEvent('mail_domain.key_rotated', {
  description: 'Mails are signed with the next key',
  data,
})
