import { Closed, defineNotification, Timestamp, Type, Uuid } from '#kernel'

/** A key will expire. In the list alone unless somebody wants more: one mail names all keys of its maker (`keysExpiringMail`). */
export const keyExpiringNotice = defineNotification('api_key.expiring', {
  type: 'warning',
  data: Closed({
    id: Uuid,
    name: Type.String({ examples: ['Till in Zürich'] }),
    prefix: Type.String({ verbatim: true, examples: ['Qm3xT9aZ'] }),
    expires_at: Timestamp,
  }),
  audience: 'person',
  groupKey: ({ id }) => `api_key.expiring:${id}`,
  expiresAt: ({ expires_at }) => expires_at,
})
