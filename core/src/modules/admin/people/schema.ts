import {
  Closed,
  Described,
  Line,
  ListQuery,
  Nullable,
  OneOf,
  OPERATOR_ROLES,
  Patch,
  Search,
  Timestamp,
  Type,
  Uuid,
} from '#kernel'
import { HeldRole, Member } from '../../members/index.ts'
import { Tenant } from '../../tenants/index.ts'
import { User } from '../../users/index.ts'

const status = OneOf(['active', 'disabled'], { description: '`disabled`: cannot sign in anywhere' })

/** What operators see of a person in lists. */
const person = {
  ...User.properties,
  operator_roles: Type.Array(OneOf(OPERATOR_ROLES), {
    description: 'What they may do who run the installation; nothing for nearly everybody',
  }),
}

export const ListedUser = Closed(person, {
  title: 'ListedUser',
  description: 'A person, as who runs the installation sees them',
})
export type ListedUser = Type.Static<typeof ListedUser>

const { id, name, slug } = Tenant.properties

export const UserMembership = Closed(
  {
    tenant: Closed({ id, name, slug, status: Tenant.properties.status }, { description: 'Which one it is' }),
    status: Member.properties.status,
    roles: Type.Array(HeldRole, { description: 'What they hold there' }),
    is_owner: Type.Boolean({ description: 'Whether they hold the role `owner` there' }),
    joined_at: Member.properties.joined_at,
  },
  { title: 'UserMembership', description: 'A tenant that a person belongs to or is invited to, and as what' },
)
export type UserMembership = Type.Static<typeof UserMembership>

/** Memberships that are shown of a person. */
export const MOST_MEMBERSHIPS = 100

export const AdminUser = Closed(
  {
    ...person,
    memberships: Type.Array(UserMembership, {
      description: `The oldest first, ${MOST_MEMBERSHIPS} at most`,
    }),
    membership_count: Type.Integer({ description: 'How many there are' }),
    open_sessions: Type.Integer({ description: 'Sessions that can be used' }),
    locked_until: Nullable(
      Described(Timestamp, 'Until when attempts to sign in are refused from some place or device; null: from none'),
    ),
  },
  { title: 'AdminUser', description: 'A person, with what they belong to and whether they get in' },
)
export type AdminUser = Type.Static<typeof AdminUser>

export const UserQuery = ListQuery({
  q: Type.Optional(Search(200, 'Part of the name or of the address')),
  status: Type.Optional(status),
})
export type UserFilter = Pick<Type.Static<typeof UserQuery>, 'q' | 'status'>

export const UserParams = Closed({ id: Uuid })

export const AccountChanges = Patch(
  {
    name: Line(200, 'Ada Lovelace', 'What to call them; tenants keep their own name for their members'),
    email_verified: Type.Boolean({ description: 'Whether mail to their address is known to reach them' }),
  },
  { title: 'AccountChanges' },
)
export type AccountChanges = Type.Static<typeof AccountChanges>

/** What records of the installation keep of an act on a person. */
export const UserAct = Closed(
  {
    id: Described(Uuid, 'The person'),
    name: Type.String({ description: 'Their name' }),
    status,
    email_verified: Type.Boolean({ description: 'Whether their address counts as confirmed' }),
  },
  { title: 'UserAct' },
)
