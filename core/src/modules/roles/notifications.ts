import { Closed, defineNotification, type EventRecord, follows, OneOf, Type } from '#kernel'
import { roleAssigned, roleUnassigned } from './events.ts'
import type { RoleAssignment } from './schema.ts'

/** Somebody else gave a person a role, or took one. */
export const roleChangedNotice = defineNotification('role.changed', {
  type: 'info',
  data: Closed({
    change: OneOf(['given', 'taken']),
    role: Type.String({ examples: ['manager'] }),
    place: OneOf(['tenant', 'store']),
  }),
  audience: 'person',
  on: [
    follows(roleAssigned, ({ after, actor }) => told('given', after, actor)),
    follows(roleUnassigned, ({ before, actor }) => told('taken', before, actor)),
  ],
})

function told(change: 'given' | 'taken', assignment: Partial<RoleAssignment> | null, actor: EventRecord['actor']) {
  const { user_id, role, store_id } = assignment ?? {}
  // Who joins or founds a tenant gets roles by that, and knows.
  if (!user_id || !role || user_id === actor.id) return null
  const place = store_id ? ('store' as const) : ('tenant' as const) // words are types
  return { to: [user_id], data: { change, role, place } }
}
