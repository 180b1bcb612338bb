import { Closed, defineMail, Nullable, Timestamp, Type } from '#kernel'

const name = Type.Optional(Nullable(Type.String({ examples: ['Ann'] })))
const tenantName = Type.String({ examples: ['Acme'] })
const keyName = Type.String({ examples: ['Till in Zürich'] })
const keyPrefix = Type.String({ examples: ['Qm3xT9aZ'] })

/** Tells the owners that a key was found somewhere, and is revoked. */
export const keyLeakedMail = defineMail('api_key_leaked', {
  data: Closed({ name, tenantName, keyName, keyPrefix, at: Timestamp }),
  security: true,
  values: ({ data: { tenantName, keyName, keyPrefix, at }, safeName, text }) => ({
    tenant: safeName(tenantName, text('mail.words.your_company')),
    key: safeName(keyName, text('mail.api_key_leaked.words.key')),
    prefix: keyPrefix,
    at,
  }),
  action: ({ link }) => link('/sign-in'),
})

/** Tells whoever made keys, or the owners, that these will expire. */
export const keysExpiringMail = defineMail('api_keys_expiring', {
  data: Closed({ name, tenantName, keys: Type.Array(Closed({ keyName, keyPrefix, expiresAt: Timestamp })) }),
  values: ({ data: { tenantName, keys }, safeName, text }) => ({
    tenant: safeName(tenantName, text('mail.words.your_company')),
    count: keys.length,
    keys: keys.map(({ keyName, keyPrefix: prefix, expiresAt }) => {
      const key = safeName(keyName, text('mail.api_key_leaked.words.key'))
      return text('mail.api_keys_expiring.words.key', { key, prefix, expiresAt })
    }),
  }),
  action: ({ link }) => link('/sign-in'),
})
