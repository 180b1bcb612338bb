import type { Static, TSchema } from 'typebox'
import Type from 'typebox'
import { Closed, Email, Line, ListQuery, Nullable, OneOf, Search, Timestamp, Uuid } from '#kernel'

const name = Line(200, 'Ada Lovelace')
const phone = Line(40, '+44 20 7946 0000')
const jobTitle = Line(200, 'Head of operations')
const STATUSES = ['active', 'disabled', 'invited'] as const // the words themselves are the type

/** A role that a member holds: for the whole tenant, or for one store. */
export const HeldRole = Closed(
  {
    role_id: Uuid,
    name: Type.String({ examples: ['staff'] }),
    store_id: Nullable(Uuid),
  },
  { title: 'HeldRole' },
)
export type HeldRole = Static<typeof HeldRole>

/** A person inside the current tenant. */
export const Member = Closed(
  {
    id: Uuid,
    tenant_id: Uuid,
    email: Email,
    name,
    phone: Nullable(phone),
    job_title: Nullable(jobTitle),
    avatar_url: Nullable(Type.String()),
    status: OneOf(STATUSES, {
      description: '`invited` also while the invitation has expired: `GET /users/invitations` tells which have.',
      examples: ['active'],
    }),
    is_owner: Type.Boolean(),
    roles: Type.Array(HeldRole, { description: 'Someone who sees only some stores is not shown roles in others.' }),
    last_login_at: Nullable(Timestamp),
    joined_at: Type.String({
      format: 'date-time',
      description: 'For an invited person: when they were invited.',
      examples: ['2026-01-31T12:00:00.000Z'],
    }),
    created_at: Timestamp,
    updated_at: Timestamp,
  },
  { title: 'Member' },
)
export type Member = Static<typeof Member>

/** A role to hand out. */
export const WantedRole = Closed({
  role_id: Uuid,
  store_id: Type.Optional(
    Nullable(Type.String({ format: 'uuid', description: 'Only in this store; absent or null: in the whole tenant.' })),
  ),
})
export type WantedRole = Static<typeof WantedRole>

/** What may be said of a person who is to join; shared by inviting and creating. */
export const newMemberFields = {
  email: Email,
  phone: Type.Optional(Nullable(phone)),
  job_title: Type.Optional(Nullable(jobTitle)),
  roles: Type.Optional(
    Type.Array(WantedRole, { maxItems: 50, description: 'Default: the built-in role `viewer` in the whole tenant.' }),
  ),
}

/** Body of an invitation. */
export const NewInvitation = Closed({
  email: Email,
  name: Type.Optional(name),
  roles: newMemberFields.roles,
})

/** An invitation that waits to be accepted. */
export const Invitation = Closed(
  {
    id: Uuid,
    tenant_id: Uuid,
    user_id: Uuid,
    email: Email,
    name,
    status: OneOf(['open', 'expired'], {
      description: 'An expired one takes no place in the plan; sending it again takes one.',
    }),
    roles: Type.Array(Closed({ role_id: Uuid, store_id: Nullable(Uuid) })),
    invited_by: Nullable(Uuid),
    sent_at: Timestamp,
    expires_at: Timestamp,
    created_at: Timestamp,
    updated_at: Timestamp,
  },
  { title: 'Invitation' },
)
export type Invitation = Static<typeof Invitation>

/** What a tenant may change of a member; absent: unchanged. */
export const MemberPatch = Closed({
  name: Type.Optional(name),
  phone: Type.Optional(Nullable(phone)),
  job_title: Type.Optional(Nullable(jobTitle)),
  status: Type.Optional(
    OneOf(['active', 'disabled'], {
      description: 'A disabled member cannot sign in to this tenant; what they hold is kept.',
    }),
  ),
})
export type MemberPatch = Static<typeof MemberPatch>

export const MemberQuery = ListQuery({
  q: Type.Optional(Search(200, 'Part of the name, e-mail or job title.')),
  status: Type.Optional(OneOf(STATUSES, { examples: ['active'] })),
  role_id: Type.Optional(Type.String({ format: 'uuid', description: 'Holders of this role, wherever they hold it.' })),
  store_id: Type.Optional(Type.String({ format: 'uuid', description: 'People with a role in this store.' })),
})
export type MemberFilter = Pick<Static<typeof MemberQuery>, 'q' | 'status' | 'role_id' | 'store_id'>

/** A tenant that a person belongs to, and as what. */
export const membershipOf = <T extends TSchema>(tenant: T) =>
  Closed({ tenant, roles: Type.Array(HeldRole), is_owner: Type.Boolean() }, { title: 'Membership' })

const pathId = Type.String({ description: 'An id that is no UUID is not found.' })

export const UserParams = Closed({ id: pathId })
export const StoreParams = Closed({ id: pathId })
export const InvitationParams = Closed({ id: pathId })
export const RoleToTakeParams = Closed({ id: pathId, role_id: pathId })

export const RoleToTakeQuery = Closed({
  store_id: Type.Optional(Type.String({ format: 'uuid', description: 'Absent: the role held for the whole tenant.' })),
})

/** A person and the role that they are to have in a store. */
export const StoreRole = Closed({ user_id: Uuid, role_id: Uuid })

export const UserOfStoreQuery = Closed({
  user_id: Type.String({ format: 'uuid', description: 'Whose roles in this store to take.' }),
})
