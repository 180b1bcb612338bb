import { defineEvent } from '#kernel'
import { MailRecord, MailSuppression } from './schema.ts'

export const mailResent = defineEvent('mail.resent', { description: 'A mail was sent once more', data: MailRecord })
export const mailCanceled = defineEvent('mail.canceled', {
  description: 'A person stopped a mail before it left',
  data: MailRecord,
})
export const mailBounced = defineEvent('mail.bounced', {
  description: 'A mail came back: its address does not exist or takes no mail',
  data: MailRecord,
})
export const suppressionAdded = defineEvent('mail_suppression.added', {
  description: 'Mails do not go to an address any more',
  data: MailSuppression,
})
export const suppressionRemoved = defineEvent('mail_suppression.removed', {
  description: 'Mails go to an address again',
  data: MailSuppression,
})
