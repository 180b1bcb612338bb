import { Closed, defineMail, Nullable, Timestamp, Type } from '#kernel'

/** Tells an owner that the audit log will be kept for a shorter time. */
export const retentionShortenedMail = defineMail('audit_retention_shortened', {
  data: Closed({
    name: Type.Optional(Nullable(Type.String({ examples: ['Ann'] }))),
    tenantName: Type.String({ examples: ['Acme'] }),
    by: Type.String({ examples: ['Bob'] }),
    days: Type.Integer(),
    at: Timestamp,
  }),
  security: true,
  values: ({ data: { tenantName, by, days, at }, safeName, text }) => ({
    tenant: safeName(tenantName, text('mail.words.your_company')),
    by: safeName(by, text('mail.words.somebody')),
    days,
    at,
  }),
  action: ({ link }) => link('/sign-in'),
})
