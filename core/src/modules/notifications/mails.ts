import { Closed, defineMail, Nullable, Type } from '#kernel'

const name = Type.String({ examples: ['Ann'] })
const tenantName = Type.String({ examples: ['Acme'] })
const action = Nullable(Closed({ label: Type.String(), url: Type.String() }))
// Written in the reader's language already, from values that are safe to be read by others.
const text = Type.String()

/** What a kind without a mail of its own says. */
export const notificationMail = defineMail('notification', {
  data: Closed({ name, tenantName, title: text, message: text, action, canSwitchOff: Type.Boolean() }),
  texts: {
    en: ({ data: { name, tenantName, title, message, action, canSwitchOff }, greet, safeName }) => ({
      subject: title,
      greeting: greet(name),
      paragraphs: message.split('\n\n'),
      ...(action && { action }),
      closing: closing(safeName(tenantName, 'your company'), canSwitchOff),
    }),
  },
})

/** What came since the last one of them. */
export const digestMail = defineMail('notification_digest', {
  data: Closed({
    name,
    tenantName,
    items: Type.Array(Closed({ title: text, message: text })),
    more: Type.Integer(),
  }),
  texts: {
    en: ({ data: { name, tenantName, items, more }, greet, link, safeName }) => ({
      subject: `What happened at ${safeName(tenantName, 'your company')}`,
      greeting: greet(name),
      paragraphs: [
        ...items.map(({ title, message }) => `${title}\n${message}`),
        ...(more > 0 ? [`And ${more} more.`] : []),
      ],
      action: { label: 'Sign in', url: link('/sign-in') },
      closing: closing(safeName(tenantName, 'your company'), true),
    }),
  },
})

const closing = (tenant: string, canSwitchOff: boolean) =>
  canSwitchOff
    ? `You receive this mail because you belong to ${tenant}. Your preferences there say what is mailed to you.`
    : 'You receive this mail because it concerns the security of your account.'
