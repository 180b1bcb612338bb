import { Closed, type Ctx, canonicalAddress, defineMail, hashToken, Nullable, Timestamp, Type } from '#kernel'
import { findUserToken } from './queries.ts'
import type { TokenPurpose } from './table.ts'

const name = Type.Optional(Nullable(Type.String({ examples: ['Ann'] })))
const link = { name, token: Type.String(), expiresAt: Timestamp }
const notice = { name, at: Timestamp }
const ipAddress = Type.Optional(Nullable(Type.String({ examples: ['203.0.113.7'] })))

/** Whether nobody has used the link, and it still can be. */
const whileGood =
  (purpose: TokenPurpose) =>
  async ({ tx, clock }: Ctx, { token }: { token: string }): Promise<boolean> => {
    const row = await findUserToken(tx, purpose, hashToken(token))
    return row !== undefined && row.used_at === null && row.expires_at > clock.now()
  }

export const verifyEmailMail = defineMail('verify_email', {
  data: Closed(link),
  pause: { minutes: 2 },
  security: true,
  stillGood: whileGood('verify_email'),
  texts: {
    en: ({ data: { name, token, expiresAt }, greet, link, time }) => ({
      subject: 'Confirm your e-mail address',
      greeting: greet(name),
      paragraphs: [
        'Please confirm that this e-mail address is yours.',
        `The link works once, until ${time(expiresAt)}.`,
      ],
      action: { label: 'Confirm e-mail address', url: link('/verify-email', token) },
      closing: 'If you did not ask for this, you can ignore this mail; nothing changes.',
    }),
  },
})

export const resetPasswordMail = defineMail('reset_password', {
  data: Closed(link),
  pause: { minutes: 5 },
  security: true,
  stillGood: whileGood('reset_password'),
  texts: {
    en: ({ data: { name, token, expiresAt }, greet, link, time }) => ({
      subject: 'Choose a new password',
      greeting: greet(name),
      paragraphs: [
        'Somebody, probably you, asked for a new password for your account.',
        `The link works once, until ${time(expiresAt)}.`,
      ],
      action: { label: 'Choose a new password', url: link('/reset-password', token) },
      closing: 'If you did not ask for this, you can ignore this mail; nothing changes.',
    }),
  },
})

const SECURITY = 'You receive this mail because it concerns the security of your account.'

/** The password was changed or reset. */
export const passwordChangedMail = defineMail('password_changed', {
  data: Closed({ ...notice, ipAddress }),
  security: true,
  texts: {
    en: ({ data: { name, at, ipAddress }, greet, link, time }) => ({
      subject: 'Your password was changed',
      greeting: greet(name),
      paragraphs: [
        `The password of your account was changed on ${time(at)}${fromAddress(ipAddress)}.`,
        'If this was you, there is nothing to do.',
      ],
      action: { label: 'If this was not you, choose a new password', url: link('/forgot-password') },
      closing: SECURITY,
    }),
  },
})

/** Signed in from a device not seen before. */
export const newSignInMail = defineMail('new_sign_in', {
  data: Closed({
    ...notice,
    device: Type.Optional(Nullable(Type.String({ examples: ['Firefox on Linux'] }))),
    ipAddress,
  }),
  security: true,
  texts: {
    en: ({ data: { name, at, device, ipAddress }, greet, link, plainName, time }) => ({
      subject: 'New sign-in to your account',
      greeting: greet(name),
      paragraphs: [
        `Somebody signed in to your account on ${time(at)}${fromAddress(ipAddress)}.`,
        `Device: ${plainName(device ?? '', 'unknown')}`,
        'If this was you, there is nothing to do.',
      ],
      action: { label: 'If this was not you, choose a new password', url: link('/forgot-password') },
      closing: SECURITY,
    }),
  },
})

/** Somebody keeps guessing at the password. */
export const signInAttemptsMail = defineMail('sign_in_attempts', {
  data: Closed(notice),
  security: true,
  texts: {
    en: ({ data: { name, at }, greet, link, time }) => ({
      subject: 'Somebody is guessing at your password',
      greeting: greet(name),
      paragraphs: [
        `By ${time(at)} many attempts to sign in to your account had failed, from places where you have not signed in before. None of them got in.`,
        'Further attempts of that kind have to wait longer and longer. Devices that you have signed in from before, and where you are signed in now, work as ever.',
      ],
      action: {
        label: 'If your password is short or used elsewhere too, choose a new one',
        url: link('/forgot-password'),
      },
      closing: SECURITY,
    }),
  },
})

/** Somebody tried to register with an address that has an account. */
export const emailTakenMail = defineMail('email_taken', {
  data: Closed(notice),
  security: true,
  pause: { minutes: 10 },
  texts: {
    en: ({ data: { name, at }, greet, link, time }) => ({
      subject: 'You already have an account',
      greeting: greet(name),
      paragraphs: [
        `On ${time(at)} somebody tried to register with your e-mail address, which already has an account.`,
        'If this was you, sign in with your password. If you have forgotten it, choose a new one.',
      ],
      action: { label: 'Choose a new password', url: link('/forgot-password') },
      closing: 'If this was not you, you can ignore this mail; nobody got in.',
    }),
  },
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

function fromAddress(ipAddress: string | null | undefined): string {
  return ipAddress && canonicalAddress(ipAddress) ? ` from the address ${ipAddress}` : ''
}
