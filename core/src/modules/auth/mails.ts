import { Closed, canonicalAddress, defineMail, type MailWriting, Nullable, Timestamp, Type } from '#kernel'
import { UNKNOWN_DEVICE } from './sign-in/devices.ts'

const name = Type.Optional(Nullable(Type.String({ examples: ['Ann'] })))
const link = { name, token: Type.String(), expiresAt: Timestamp }
const notice = { name, at: Timestamp }
const ipAddress = Type.Optional(Nullable(Type.String({ examples: ['203.0.113.7'] })))

export const verifyEmailMail = defineMail('verify_email', {
  data: Closed(link),
  pause: { minutes: 2 },
  values: ({ data: { expiresAt } }) => ({ expiresAt }),
  action: ({ data, link }) => link('/verify-email', data.token),
})

export const resetPasswordMail = defineMail('reset_password', {
  data: Closed(link),
  pause: { minutes: 5 },
  security: true,
  values: ({ data: { expiresAt } }) => ({ expiresAt }),
  action: ({ data, link }) => link('/reset-password', data.token),
})

/** The password was changed or reset. */
export const passwordChangedMail = defineMail('password_changed', {
  data: Closed({ ...notice, ipAddress }),
  security: true,
  values: ({ data: { at, ipAddress } }) => ({ at, ...fromAddress(ipAddress) }),
  action: ({ link }) => link('/forgot-password'),
})

/** Signed in from a device not seen before. */
export const newSignInMail = defineMail('new_sign_in', {
  data: Closed({
    ...notice,
    device: Type.Optional(Nullable(Type.String({ examples: ['Firefox on Linux'] }))),
    ipAddress,
  }),
  security: true,
  values: ({ data: { at, device, ipAddress }, plainName, text }) => ({
    at,
    device: inWords(device, plainName, text),
    ...fromAddress(ipAddress),
  }),
  action: ({ link }) => link('/forgot-password'),
})

/** Somebody keeps guessing at the password. */
export const signInAttemptsMail = defineMail('sign_in_attempts', {
  data: Closed(notice),
  security: true,
  values: ({ data: { at } }) => ({ at }),
  action: ({ link }) => link('/forgot-password'),
})

/** Somebody tried to register with an address that has an account. */
export const emailTakenMail = defineMail('email_taken', {
  data: Closed(notice),
  pause: { minutes: 10 },
  values: ({ data: { at } }) => ({ at }),
  action: ({ link }) => link('/forgot-password'),
})

/** All that this module sends. */
export const authMails = [
  verifyEmailMail,
  resetPasswordMail,
  passwordChangedMail,
  newSignInMail,
  signInAttemptsMail,
  emailTakenMail,
]

/** `Firefox on Linux`, in the reader's words. */
function inWords(device: string | null | undefined, plainName: MailWriting['plainName'], text: MailWriting['text']) {
  const name = device === UNKNOWN_DEVICE ? '' : plainName(device ?? '', '')
  const [program = '', system] = name.split(' on ')
  if (system) return text('mail.new_sign_in.words.device', { program, system })
  return program || text('mail.new_sign_in.words.unknown')
}

/** An address where it is one: what else a proxy may have sent is not passed on. */
function fromAddress(ipAddress: string | null | undefined) {
  const isKnown = Boolean(ipAddress && canonicalAddress(ipAddress))
  return { from: isKnown ? 'known' : 'unknown', ipAddress: isKnown ? (ipAddress ?? null) : null }
}
