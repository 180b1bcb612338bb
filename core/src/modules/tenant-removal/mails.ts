import { Closed, defineMail, Nullable, Timestamp, Type } from '#kernel'

export const RemovalMail = Closed({
  name: Type.Optional(Nullable(Type.String({ examples: ['Ann'] }))),
  tenantName: Type.String({ examples: ['Acme'] }),
  at: Timestamp,
})

const spec = {
  data: RemovalMail,
  // They are to know it, whatever they have switched off.
  security: true,
} as const // a literal of the definition

/** Tells an owner that everything is removed in thirty days. */
export const plannedMail = defineMail('tenant_removal_planned', {
  ...spec,
  values: ({ data: { tenantName, at }, safeName, text }) => ({
    tenant: safeName(tenantName, text('mail.words.your_company')),
    at,
  }),
})

/** The same once more, a week and a day before. */
export const reminderMail = defineMail('tenant_removal_reminder', {
  ...spec,
  values: ({ data: { tenantName, at }, safeName, text }) => ({
    tenant: safeName(tenantName, text('mail.words.your_company')),
    at,
  }),
})
