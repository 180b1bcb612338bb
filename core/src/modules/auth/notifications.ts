import { Closed, defineNotification, EMAIL, IN_APP, mailOf, Nullable, OneOf, Timestamp, Type } from '#kernel'
import { newSignInMail, passwordChangedMail } from './mails.ts'

// Each person is told wherever they are; nothing can switch it off, and no hour holds it back.
const own = { type: 'warning', audience: 'person', security: true, personal: true, channels: [IN_APP, EMAIL] } as const // words are types
// An address, not typed by anybody.
const ip_address = Nullable(Type.String({ verbatim: true, examples: ['203.0.113.7'] }))
const actions = [{ name: 'reset', route: () => '/forgot-password' as const }] // a path is a type

/** The password was changed or reset. */
export const passwordChangedNotice = defineNotification('auth.password_changed', {
  ...own,
  data: Closed({ at: Timestamp, ip_address }),
  actions,
  mail: mailOf(passwordChangedMail, ({ at, ip_address }: { at: string; ip_address: string | null }, { name }) => ({
    name,
    at,
    ipAddress: ip_address,
  })),
})

/** Signed in from a device not seen before. */
export const newSignInNotice = defineNotification('auth.new_sign_in', {
  ...own,
  data: Closed({
    at: Timestamp,
    device: Type.String(),
    // Its parts: no text can put a name into other words.
    named: OneOf(['both', 'program', 'unknown']),
    program: Type.String(),
    system: Type.String(),
    ip_address,
  }),
  actions: [...actions, { name: 'dismiss', route: () => '/' as const }],
  mail: mailOf(
    newSignInMail,
    ({ at, device, ip_address }: { at: string; device: string; ip_address: string | null }, { name }) => ({
      name,
      at,
      device,
      ipAddress: ip_address,
    }),
  ),
})

/** All that this module tells. */
export const authNotices = [passwordChangedNotice, newSignInNotice]
