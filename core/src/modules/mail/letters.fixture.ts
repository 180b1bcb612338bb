import { Closed, defineMail, defineModule, Nullable, Timestamp, Type } from '#kernel'
import { messageFolder } from '../../testing/message-folder.ts'
import { mail } from './index.ts'

/** A mail with a link, in two languages. */
export const linkMail = defineMail('letters.link', {
  data: Closed({ name: Nullable(Type.String()), token: Type.String(), expiresAt: Timestamp }),
  values: ({ data: { name, expiresAt }, language, safeName, text }) => ({
    name: safeName(name ?? '', text('letters.reader')),
    expiresAt,
    language,
  }),
  action: ({ data, link }) => link('/verify-email', data.token),
})

/** One that goes to an address once in ten minutes. */
export const pausedMail = defineMail('letters.paused', {
  data: Closed({ at: Timestamp }),
  pause: { minutes: 10 },
  values: ({ data: { at } }) => ({ at }),
})

/** One that no module lists. */
export const unlistedMail = defineMail('letters.unlisted', { data: Closed({}) })

const LINK = {
  'letters.reader': 'you',
  'mail.letters.link.subject': 'A link for {name}',
  'mail.letters.link.body': 'It works until {expiresAt, date, moment}. It is {language}.',
  'mail.letters.link.action': 'Follow it',
  'mail.letters.link.closing': 'That is all.',
}

const texts = {
  en: {
    ...LINK,
    'mail.letters.paused.subject': 'A note',
    'mail.letters.paused.body': 'It is {at, date, moment}.',
  },
  'de-CH': { 'mail.greeting': '{named, select, yes {Grüezi {name}} other {Grüezi}}' },
  de: {
    ...LINK,
    'mail.letters.link.subject': 'Ein Link für {name} ({language})',
    'mail.letters.link.body': 'Er gilt bis zum {expiresAt, date, moment}.',
  },
}

export const letters = defineModule({
  name: 'letters',
  dependsOn: [mail],
  messages: messageFolder(texts),
  mails: [linkMail, pausedMail],
})
