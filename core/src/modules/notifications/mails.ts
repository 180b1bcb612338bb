import { Closed, defineMail, type MailWriting, Nullable, Type } from '#kernel'

const name = Type.String({ examples: ['Ann'] })
const tenantName = Type.String({ examples: ['Acme'] })
const action = Nullable(
  Closed({
    label: Type.String({ examples: ['Look at it'] }),
    url: Type.String({ examples: ['https://app.example.com/look'] }),
  }),
)
// Written in the reader's language already, from values that are safe to be read by others.
const title = Type.String({ examples: ['Eve has joined'] })
const message = Type.String({ examples: ['Eve has accepted the invitation.'] })

const one = { name, tenantName, title, message, action }
const OneNotice = Closed(one)
type Writing = MailWriting<Type.Static<typeof OneNotice>>

const wordsOfOne = ({ data: { tenantName, title, message, action }, safeName, text }: Writing) => ({
  title,
  message: message.split('\n'),
  label: action?.label ?? text('mail.notification.words.sign_in'),
  tenant: safeName(tenantName, text('mail.words.your_company')),
})
const addressOfOne = ({ data: { action }, link }: Writing): string => action?.url ?? link('/sign-in')

/** What a kind without a mail of its own says. Without an action it leads to the sign-in. */
export const notificationMail = defineMail('notification', {
  data: Closed({ ...one, canSwitchOff: Type.Boolean() }),
  values: (writing) => ({ ...wordsOfOne(writing), choice: writing.data.canSwitchOff ? 'free' : 'fixed' }),
  action: addressOfOne,
})

/** The same of a kind about security: nobody stops it. */
export const securityNotificationMail = defineMail('notification_security', {
  data: OneNotice,
  security: true,
  values: wordsOfOne,
  action: addressOfOne,
})

/** What came since the last one of them. */
export const digestMail = defineMail('notification_digest', {
  data: Closed({
    name,
    tenantName,
    items: Type.Array(Closed({ title, message })),
    more: Type.Integer({ examples: [2] }),
  }),
  values: ({ data: { tenantName, items, more }, safeName, text }) => ({
    tenant: safeName(tenantName, text('mail.words.your_company')),
    items: items.flatMap(({ title, message }, index) => [...(index > 0 ? [''] : []), title, ...message.split('\n')]),
    more,
  }),
  action: ({ link }) => link('/sign-in'),
})
