import { Described, defineSetting, Email, Nullable, normalizeEmail } from '#kernel'

/** Where answers to the mails of a tenant go. */
export const mailReplyTo = defineSetting('mail_reply_to', {
  level: 'tenant',
  schema: Nullable(
    Described(Email, 'Where answers to mails of the tenant go; null: to the address that they come from'),
  ),
  default: null,
  permission: 'mail.manage',
  change: (_ctx, { given }) => ({ mail_reply_to: given === null ? null : normalizeEmail(given) }),
})
