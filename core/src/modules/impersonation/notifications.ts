import { Closed, defineNotification, EMAIL, IN_APP, OneOf, Timestamp, Type } from '#kernel'

/** An operator began to act as a person: told to them and to all owners, whatever they have switched off. */
export const impersonationBegunNotice = defineNotification('impersonation.begun', {
  type: 'warning',
  audience: 'person',
  security: true,
  channels: [IN_APP, EMAIL],
  data: Closed({
    person: Type.String({ examples: ['Ada Byron'] }),
    operator: Type.String({ examples: ['Opal Operator'] }),
    reason: Type.String({ examples: ['Ticket 4711: invoices are missing'] }),
    access: OneOf(['reads', 'writes']),
    until: Timestamp,
  }),
})
