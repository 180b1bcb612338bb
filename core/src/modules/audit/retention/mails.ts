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
  texts: {
    en: ({ data: { name, tenantName, by, days, at }, greet, link, safeName, time }) => ({
      subject: `The audit log of ${safeName(tenantName, 'your company')} will be kept for a shorter time`,
      greeting: greet(name),
      paragraphs: [
        `${safeName(by, 'Somebody')} shortened the time for which records of what happened are kept to ${days} days.`,
        `From ${time(at)} on, older records are removed for good.`,
        'Until then any owner can take this back in the settings, and records can be exported.',
      ],
      action: { label: 'Open the application', url: link('/sign-in') },
      closing: 'You receive this mail because you are an owner.',
    }),
  },
})
