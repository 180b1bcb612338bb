import { Closed, defineNotification, follows, Type } from '#kernel'
import { userInvited, userJoined } from './events.ts'

const audience = { permission: 'user.invite' }
const name = Type.String({ examples: ['Eve'] })
// Proven to be an address, and all that somebody is known by who has not joined.
const email = Type.String({ verbatim: true, examples: ['eve@example.com'] })

/** Somebody was invited to the tenant. */
export const userInvitedNotice = defineNotification('user.invited', {
  type: 'info',
  data: Closed({ email, by: name }),
  audience,
  exceptActor: true,
  digest: true,
  on: [
    follows(userInvited, ({ after, actor }) =>
      after?.email ? { data: { email: after.email, by: actor.label } } : null,
    ),
  ],
})

/** Somebody who was invited is a member now. */
export const userJoinedNotice = defineNotification('user.joined', {
  type: 'success',
  data: Closed({ name, email }),
  audience,
  exceptActor: true,
  digest: true,
  on: [
    follows(userJoined, ({ after }) =>
      after?.email && after.name ? { data: { name: after.name, email: after.email } } : null,
    ),
  ],
})
