import { Closed, defineMail, Nullable, Timestamp, Type } from '#kernel'

const name = Type.Optional(Nullable(Type.String({ examples: ['Ann'] })))
const tenantName = Type.String({ examples: ['Acme'] })
const keyName = Type.String({ examples: ['Till in Zürich'] })
const keyPrefix = Type.String({ examples: ['Qm3xT9aZ'] })
const CLOSING = 'You receive this mail because it concerns the security of your account.'

/** Tells the owners that a key was found somewhere, and is revoked. */
export const keyLeakedMail = defineMail('api_key_leaked', {
  data: Closed({ name, tenantName, keyName, keyPrefix, at: Timestamp }),
  security: true,
  texts: {
    en: ({ data: { name, tenantName, keyName, keyPrefix, at }, greet, link, safeName, time }) => {
      const [key, tenant] = [safeName(keyName, 'An API key'), safeName(tenantName, 'your company')]
      return {
        subject: `An API key of ${tenant} was found in public and revoked`,
        greeting: greet(name),
        paragraphs: [
          `Somebody reported on ${time(at)} that they have the whole key “${key}” (${keyPrefix}…). It was revoked at once.`,
          'Whatever used it is refused since then. Make a new key for it, and look in the audit log at what the old one did.',
        ],
        action: { label: `Sign in to ${tenant}`, url: link('/sign-in') },
        closing: CLOSING,
      }
    },
  },
})

/** Tells whoever made keys, or the owners, that these will expire. */
export const keysExpiringMail = defineMail('api_keys_expiring', {
  data: Closed({ name, tenantName, keys: Type.Array(Closed({ keyName, keyPrefix, expiresAt: Timestamp })) }),
  texts: {
    en: ({ data: { name, tenantName, keys }, greet, link, safeName, time }) => {
      const tenant = safeName(tenantName, 'your company')
      return {
        subject: keys.length === 1 ? `An API key of ${tenant} will expire` : `API keys of ${tenant} will expire`,
        greeting: greet(name),
        paragraphs: [
          'From then on, whatever uses them is refused:',
          ...keys.map(
            ({ keyName, keyPrefix, expiresAt }) =>
              `“${safeName(keyName, 'A key')}” (${keyPrefix}…) on ${time(expiresAt)}.`,
          ),
          'Replace a key that is still needed, or give it a later end.',
        ],
        action: { label: `Sign in to ${tenant}`, url: link('/sign-in') },
        closing: CLOSING,
      }
    },
  },
})
