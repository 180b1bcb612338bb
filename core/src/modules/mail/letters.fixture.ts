import { Closed, defineMail, defineModule, Nullable, Timestamp, Type } from '#kernel'
import { mail } from './index.ts'

/** A mail with a link, in two languages. */
export const linkMail = defineMail('letters.link', {
  data: Closed({ name: Nullable(Type.String()), token: Type.String(), expiresAt: Timestamp }),
  texts: {
    en: ({ data, greet, link, safeName, time }) => ({
      subject: `A link for ${safeName(data.name ?? '', 'you')}`,
      greeting: greet(data.name),
      paragraphs: [`It works until ${time(data.expiresAt)}.`],
      action: { label: 'Follow it', url: link('/verify-email', data.token) },
      closing: 'That is all.',
    }),
    'de-CH': ({ data, greet }) => ({
      subject: 'Ein Link',
      greeting: greet(data.name, 'Grüezi'),
      paragraphs: ['Kein scharfes S.'],
    }),
    de: ({ data, greet, language }) => ({
      subject: `Ein Link (${language})`,
      greeting: greet(data.name, 'Guten Tag'),
      paragraphs: ['Hier ist er.'],
    }),
  },
})

/** One that goes to an address once in ten minutes. */
export const pausedMail = defineMail('letters.paused', {
  data: Closed({ at: Timestamp }),
  pause: { minutes: 10 },
  texts: { en: ({ data, time }) => ({ subject: 'A note', paragraphs: [`It is ${time(data.at)}.`] }) },
})

const at = {
  data: Closed({ at: Timestamp }),
  texts: { en: () => ({ subject: 'A note', paragraphs: ['That is all.'] }) },
}

/** One that nobody asked for. */
export const noticeMail = defineMail('letters.notice', at)

/** One that concerns the safety of an account. */
export const safetyMail = defineMail('letters.safety', { ...at, security: true })

/** One that no module lists. */
export const unlistedMail = defineMail('letters.unlisted', {
  data: Closed({}),
  texts: { en: () => ({ subject: 'Lost', paragraphs: [] }) },
})

export const letters = defineModule({
  name: 'letters',
  dependsOn: [mail],
  mails: [linkMail, pausedMail, noticeMail, safetyMail],
})
