import type { Static, TSchema } from 'typebox'
import Type from 'typebox'
import {
  Closed,
  CreatedAt,
  Described,
  Email,
  Line,
  ListQuery,
  Nullable,
  OneOf,
  OwnId,
  Patch,
  Search,
  TenantId,
  Timestamp,
  UpdatedAt,
  Uuid,
} from '#kernel'
import { AvatarUrl } from '../users/index.ts'

const name = Line(200, 'Ada Lovelace', 'What the tenant calls them; their own name is theirs to change')
const phone = Line(40, '+44 20 7946 0000', 'Where the tenant reaches them; null: not told')
const jobTitle = Line(200, 'Head of operations', 'What they do here; null: not told')
const email = Described(Email, 'What they sign in with, and where mail to them goes')
const STATUSES = ['active', 'disabled', 'invited'] as const // the words themselves are the type

/** A role that a member holds: for the whole tenant, or for one store. */
export const HeldRole = Closed(
  {
    role_id: Described(Uuid, 'The role'),
    name: Type.String({ description: 'Its name', examples: ['staff'] }),
    store_id: Nullable(Described(Uuid, 'The store that it is held for; null: the whole tenant')),
  },
  { title: 'HeldRole', description: 'A role that somebody holds, and where' },
)
export type HeldRole = Static<typeof HeldRole>

/** A person inside the current tenant. */
export const Member = Closed(
  {
    id: Described(Uuid, "The person's id, the same in every tenant"),
    tenant_id: TenantId,
    email,
    name,
    phone: Nullable(phone),
    job_title: Nullable(jobTitle),
    avatar_url: Nullable(AvatarUrl),
    status: OneOf(STATUSES, {
      description: '`invited` also while the invitation has expired: `GET /users/invitations` tells which have.',
      examples: ['active'],
    }),
    is_owner: Type.Boolean({ description: 'Whether they hold the role `owner`, which may do everything' }),
    roles: Type.Array(HeldRole, { description: 'Someone who sees only some stores is not shown roles in others.' }),
    last_login_at: Nullable(
      Described(Timestamp, 'When they last signed in, to whatever tenant; null: never, or not joined yet'),
    ),
    joined_at: Type.String({
      format: 'date-time',
      description: 'When they joined; of an invited person, when they were invited.',
      examples: ['2026-01-31T12:00:00.000Z'],
    }),
    created_at: CreatedAt,
    updated_at: UpdatedAt,
  },
  { title: 'Member', description: 'A person inside the tenant: what it knows of them, and what they may do' },
)
export type Member = Static<typeof Member>

/** A role to hand out. */
export const WantedRole = Closed({
  role_id: Described(Uuid, 'The role to give'),
  store_id: Type.Optional(
    Nullable(Type.String({ format: 'uuid', description: 'Only in this store; absent or null: in the whole tenant.' })),
  ),
})
export type WantedRole = Static<typeof WantedRole>

/** Fields of a new member, shared by inviting and creating. */
export const newMemberFields = {
  email: Described(
    Type.With(Email, { examples: ['grace@example.com'] }),
    'Where they are reached, and what they will sign in with',
  ),
  phone: Type.Optional(Nullable(phone)),
  job_title: Type.Optional(Nullable(jobTitle)),
  roles: Type.Optional(
    Type.Array(WantedRole, { maxItems: 50, description: 'Default: the built-in role `viewer` in the whole tenant.' }),
  ),
}

/** Body of an invitation. */
export const NewInvitation = Closed({
  email: newMemberFields.email,
  name: Type.Optional(Type.With(name, { examples: ['Grace Hopper'] })),
  roles: newMemberFields.roles,
})

/** An invitation that waits to be accepted. */
export const Invitation = Closed(
  {
    id: OwnId,
    tenant_id: TenantId,
    user_id: Described(Uuid, 'The person invited; the `id` of the member'),
    email: Described(Email, 'Where the link was sent'),
    name,
    status: OneOf(['open', 'expired'], {
      description: 'An expired one takes no place in the plan; sending it again takes one.',
    }),
    roles: Type.Array(Closed({ role_id: HeldRole.properties.role_id, store_id: HeldRole.properties.store_id }), {
      description: 'What accepting it gives, as far as its sender may give it then',
    }),
    invited_by: Nullable(Described(Uuid, 'The person who sent it; null: none')),
    sent_at: Described(Timestamp, 'When its link was last sent'),
    expires_at: Described(Timestamp, 'Until when its link can be used'),
    created_at: CreatedAt,
    updated_at: UpdatedAt,
  },
  { title: 'Invitation', description: 'An invitation that waits to be accepted' },
)
export type Invitation = Static<typeof Invitation>

/** What a tenant may change of a member; absent: unchanged. */
export const MemberPatch = Patch({
  name,
  phone: Nullable(phone),
  job_title: Nullable(jobTitle),
  status: OneOf(['active', 'disabled'], {
    description: 'A disabled member cannot sign in to this tenant; what they hold is kept.',
  }),
})
export type MemberPatch = Static<typeof MemberPatch>

export const MemberQuery = ListQuery({
  q: Type.Optional(Search(200, 'Part of the name, e-mail or job title.')),
  status: Type.Optional(OneOf(STATUSES, { description: 'Members of this status alone.', examples: ['active'] })),
  role_id: Type.Optional(Type.String({ format: 'uuid', description: 'Holders of this role, wherever they hold it.' })),
  store_id: Type.Optional(Type.String({ format: 'uuid', description: 'People with a role in this store.' })),
})
export type MemberFilter = Pick<Static<typeof MemberQuery>, 'q' | 'status' | 'role_id' | 'store_id'>

/** A tenant that a person belongs to, and as what. */
export const membershipOf = <T extends TSchema>(tenant: T) =>
  Closed(
    {
      tenant,
      roles: Type.Array(HeldRole, { description: 'What you hold there' }),
      is_owner: Type.Boolean({ description: 'Whether you hold the role `owner` there' }),
    },
    { title: 'Membership', description: 'A tenant that you belong to, and as what' },
  )

export const UserParams = Closed({ id: Uuid })
export const StoreParams = Closed({ id: Uuid })
export const InvitationParams = Closed({ id: Uuid })
export const RoleToTakeParams = Closed({ id: Uuid, role_id: Uuid })

export const RoleToTakeQuery = Closed({
  store_id: Type.Optional(Type.String({ format: 'uuid', description: 'Absent: the role held for the whole tenant.' })),
})

/** A person and the role that they are to have in a store. */
export const StoreRole = Closed({
  user_id: Described(Uuid, 'A member of the tenant'),
  role_id: Described(Uuid, 'The role to give'),
})

export const UserOfStoreQuery = Closed({
  user_id: Type.String({ format: 'uuid', description: 'Whose roles in this store to take.' }),
})
