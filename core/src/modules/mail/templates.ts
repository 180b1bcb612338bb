import { isIP } from 'node:net'
import { linkTo, type PagePath, type Pages } from '#kernel'
import { escapeHtml } from './html.ts'
import { plainName, safeName } from './safe-name.ts'

/** A moment: ISO 8601 text, as on the wire, or a Date. */
type Time = string | Date

/** What each kind of mail needs to know. Names may come from anybody; they are made harmless here. */
export interface MailData {
  /** Prove the address. */
  verify_email: { name?: string | null; token: string; expiresAt: Time }
  /** Choose a new password. */
  reset_password: { name?: string | null; token: string; expiresAt: Time }
  /** Join a tenant. `isVouched`: whoever invites has proven an e-mail address. Default: not. */
  invitation: {
    name?: string | null
    inviterName: string
    tenantName: string
    isVouched?: boolean
    token: string
    expiresAt: Time
  }
  /** The password was changed or reset. */
  password_changed: { name?: string | null; at: Time; ipAddress?: string | null }
  /** Signed in from a device not seen before. */
  new_sign_in: { name?: string | null; at: Time; device?: string | null; ipAddress?: string | null }
  /** Somebody keeps guessing at the password. */
  sign_in_attempts: { name?: string | null; at: Time }
  /** Somebody tried to register with an address that has an account. */
  email_taken: { name?: string | null; at: Time }
  /** An owner of a tenant: what happened in it will be kept for a shorter time. */
  audit_retention_shortened: { name?: string | null; tenantName: string; by: string; days: number; at: Time }
  /** Somebody is to be an owner beside the recipient: invited as one, or made one. */
  new_owner: { name?: string | null; byName: string; tenantName: string; email: string; isInvited: boolean; at: Time }
  /** Invitations that the recipient has sent do not hold any more, or give less; `more`: not listed here. */
  invitations_withdrawn: {
    name?: string | null
    tenantName: string
    invitations: { email: string; isRevoked: boolean }[]
    more: number
    at: Time
  }
}

export type MailKind = keyof MailData

/** A kind of mail with its data, and the person and installation that it is rendered for. */
export type MailRequest<K extends MailKind = MailKind> = {
  [Kind in K]: {
    kind: Kind
    data: MailData[Kind]
    /** Address of the application without a trailing slash; links begin with it. */
    publicUrl: string
    /** Where the pages are that links lead to. Default: the built-in ones. */
    pages?: Pages
    /** BCP 47 and IANA names for times in the text; unknown ones fall back to English and UTC. */
    locale?: string | null
    timezone?: string | null
  }
}[K]

/** A mail ready to send but for its recipient. */
export interface RenderedMail {
  subject: string
  text: string
  html: string
}

/** Writes a mail. A link with a token stands exactly once in the text part and once in the HTML part. */
export function renderMail<K extends MailKind>(request: MailRequest<K>): RenderedMail {
  const draft = writers[request.kind](request.data, {
    link: (page, token) => linkTo(request, page, token),
    time: (at) => formatTime(at, request.locale, request.timezone),
  })
  return { subject: draft.subject, text: renderText(draft), html: renderHtml(draft) }
}

/** The words of a mail as plain text; both parts are made of it. */
interface Draft {
  subject: string
  greeting: string
  paragraphs: string[]
  action: { label: string; url: string }
  closing: string
}

interface Writing {
  link(page: PagePath, token?: string): string
  time(at: Time): string
}

const writers: { [K in MailKind]: (data: MailData[K], writing: Writing) => Draft } = {
  verify_email: ({ name, token, expiresAt }, { link, time }) => ({
    subject: 'Confirm your e-mail address',
    greeting: greet(name),
    paragraphs: ['Please confirm that this e-mail address is yours.', `The link works once, until ${time(expiresAt)}.`],
    action: { label: 'Confirm e-mail address', url: link('/verify-email', token) },
    closing: 'If you did not ask for this, you can ignore this mail; nothing changes.',
  }),

  reset_password: ({ name, token, expiresAt }, { link, time }) => ({
    subject: 'Choose a new password',
    greeting: greet(name),
    paragraphs: [
      'Somebody, probably you, asked for a new password for your account.',
      `The link works once, until ${time(expiresAt)}.`,
    ],
    action: { label: 'Choose a new password', url: link('/reset-password', token) },
    closing: 'If you did not ask for this, you can ignore this mail; nothing changes.',
  }),

  invitation: ({ name, inviterName, tenantName, isVouched, token, expiresAt }, { link, time }) => {
    const shown = isVouched ? safeName : plainName
    const summary = `${shown(inviterName, 'A colleague')} invites you to join ${shown(tenantName, 'their company')}`
    return {
      subject: summary,
      greeting: greet(name),
      paragraphs: [`${summary}.`, `The link works once, until ${time(expiresAt)}.`],
      action: { label: 'Accept the invitation', url: link('/accept-invite', token) },
      closing: 'If you do not know who invites you, you can ignore this mail; nothing happens.',
    }
  },

  password_changed: ({ name, at, ipAddress }, { link, time }) => ({
    subject: 'Your password was changed',
    greeting: greet(name),
    paragraphs: [
      `The password of your account was changed on ${time(at)}${fromAddress(ipAddress)}.`,
      'If this was you, there is nothing to do.',
    ],
    action: { label: 'If this was not you, choose a new password', url: link('/forgot-password') },
    closing: SECURITY,
  }),

  new_sign_in: ({ name, at, device, ipAddress }, { link, time }) => ({
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

  sign_in_attempts: ({ name, at }, { link, time }) => ({
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

  email_taken: ({ name, at }, { link, time }) => ({
    subject: 'You already have an account',
    greeting: greet(name),
    paragraphs: [
      `On ${time(at)} somebody tried to register with your e-mail address, which already has an account.`,
      'If this was you, sign in with your password. If you have forgotten it, choose a new one.',
    ],
    action: { label: 'Choose a new password', url: link('/forgot-password') },
    closing: 'If this was not you, you can ignore this mail; nobody got in.',
  }),

  audit_retention_shortened: ({ name, tenantName, by, days, at }, { link, time }) => ({
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
  new_owner: ({ name, byName, tenantName, email, isInvited, at }, { link, time }) => {
    const [by, tenant] = [safeName(byName, 'An owner'), safeName(tenantName, 'your company')]
    const act = isInvited ? `invited ${email} to be an owner of ${tenant}` : `made ${email} an owner of ${tenant}`
    return {
      subject: `${by} has ${act}`,
      greeting: greet(name),
      paragraphs: [
        `${by} has ${act} on ${time(at)}.`,
        'An owner may do everything, and may end the membership of any other owner.',
        isInvited ? 'If that is not right, take the invitation back.' : 'If that is not right, take the role back.',
      ],
      action: { label: `Sign in to ${tenant}`, url: link('/sign-in') },
      closing: SECURITY,
    }
  },

  invitations_withdrawn: ({ name, tenantName, invitations, more, at }, { link, time }) => {
    const tenant = safeName(tenantName, 'your company')
    const lines = invitations.map(({ email, isRevoked }) =>
      isRevoked ? `${email}: taken back, its link is dead.` : `${email}: still open, with fewer roles.`,
    )
    return {
      subject: `Invitations to ${tenant} were taken back`,
      greeting: greet(name),
      paragraphs: [
        `Since ${time(at)} invitations that you have sent do not hold as they were: a role or a store that they name has changed or gone, or you may not give it any more.`,
        ...lines,
        ...(more > 0 ? [`And ${more} more.`] : []),
      ],
      action: { label: 'Look at the invitations', url: link('/sign-in') },
      closing: 'Whoever is still to join can be invited anew.',
    }
  },
}

const SECURITY = 'You receive this mail because it concerns the security of your account.'

function greet(name: string | null | undefined): string {
  // Whoever gave it may be somebody else: who invites, or who registers with another's address.
  const safe = plainName(name ?? '', '')
  return safe ? `Hello ${safe},` : 'Hello,'
}

function fromAddress(ipAddress: string | null | undefined): string {
  return ipAddress && isIP(ipAddress) ? ` from the address ${ipAddress}` : ''
}

function formatTime(at: Time, locale: string | null | undefined, timezone: string | null | undefined): string {
  const options = { dateStyle: 'long', timeStyle: 'long' } as const
  const date = new Date(at)
  const [language, timeZone] = [locale || 'en', timezone || 'UTC']
  try {
    return new Intl.DateTimeFormat(language, { ...options, timeZone }).format(date)
  } catch {
    // A setting that this Node does not know must not keep a mail from going out.
    return new Intl.DateTimeFormat('en', { ...options, timeZone: 'UTC' }).format(date)
  }
}

function renderText({ greeting, paragraphs, action, closing }: Draft): string {
  return `${[greeting, ...paragraphs, `${action.label}:\n${action.url}`, closing].join('\n\n')}\n`
}

const FONT = 'font-family:system-ui,-apple-system,Segoe UI,Roboto,Helvetica,Arial,sans-serif'
const BUTTON =
  'display:inline-block;padding:12px 20px;border-radius:6px;background:#1d4ed8;color:#ffffff;text-decoration:none;font-weight:600'

function renderHtml({ subject, greeting, paragraphs, action, closing }: Draft): string {
  const lines = [greeting, ...paragraphs].map((line) => `<p style="margin:0 0 16px">${escapeHtml(line)}</p>`)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(subject)}</title>
</head>
<body style="margin:0;padding:24px;background:#f4f4f5;color:#18181b;${FONT};font-size:16px;line-height:1.5">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0"><tr><td align="center">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="max-width:560px;background:#ffffff;border-radius:8px">
<tr><td style="padding:32px;text-align:left">
<h1 style="margin:0 0 16px;font-size:20px;line-height:1.3">${escapeHtml(subject)}</h1>
${lines.join('\n')}
<p style="margin:24px 0"><a href="${escapeHtml(action.url)}" style="${BUTTON}">${escapeHtml(action.label)}</a></p>
<p style="margin:24px 0 0;font-size:14px;color:#52525b">${escapeHtml(closing)}</p>
</td></tr>
</table>
</td></tr></table>
</body>
</html>
`
}
