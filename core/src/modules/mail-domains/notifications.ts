import { Closed, defineNotification, EMAIL, follows, IN_APP, OneOf, Type } from '#kernel'
import { mailDomainFailing } from './events.ts'
import { PROBLEMS } from './table.ts'

/** The domain of a tenant does not work any more: its mails come from the address of the installation again. */
export const domainFailingNotice = defineNotification('mail_domain.failing', {
  type: 'error',
  data: Closed({ domain: Type.String({ verbatim: true }), problem: OneOf(PROBLEMS) }),
  audience: { permission: 'mail.manage' },
  channels: [IN_APP, EMAIL],
  groupKey: ({ domain }) => domain,
  on: [
    follows(mailDomainFailing, ({ after }) =>
      after?.domain && after.problem ? { data: { domain: after.domain, problem: after.problem } } : null,
    ),
  ],
})
