import type { Static } from 'typebox'
import Type from 'typebox'
import {
  Closed,
  CreatedAt,
  type Ctx,
  Described,
  Line,
  Locale,
  Nullable,
  OneOf,
  OwnId,
  Patch,
  pickFields,
  SettingsPatch,
  Timestamp,
  TimeZone,
  UpdatedAt,
  Uuid,
} from '#kernel'
import { pictureUrl } from '../pictures/index.ts'
import type { UserRow } from './table.ts'

/** Where the picture of a person is. */
export const AvatarUrl = Type.String({
  description: 'A picture of them, 256 pixels wide and high; smaller with `?size=128` or `?size=64`. Null: none',
  examples: ['https://app.example.com/api/v1/pictures/6f1c2f6e-2b0a-4a52-9d83-0d6c1c8f4a11'],
})

export const User = Closed(
  {
    id: OwnId,
    created_at: CreatedAt,
    updated_at: UpdatedAt,
    email: Type.String({
      description: 'What they sign in with, in lower case; one account per address',
      examples: ['ada@example.com'],
    }),
    name: Type.String({ description: 'As they call themselves', examples: ['Ada Lovelace'] }),
    phone: Nullable(Type.String({ description: 'As they wrote it; null: not told', examples: ['+41 44 123 45 67'] })),
    avatar_url: Nullable(AvatarUrl),
    locale: Type.String({ description: 'Language they are spoken to in: a BCP 47 tag', examples: ['de-CH'] }),
    timezone: Type.String({ description: 'IANA time zone that times are shown in', examples: ['Europe/Zurich'] }),
    email_verified_at: Nullable(
      Described(Timestamp, 'When they proved that mail to the address reaches them; null: not yet'),
    ),
    two_factor_enabled: Type.Boolean({ description: 'Whether signing in asks for a second factor' }),
    is_super_admin: Type.Boolean({ description: 'Whether they run the installation, beside any tenant' }),
    status: OneOf(['active', 'disabled'], { description: '`disabled`: cannot sign in anywhere' }),
    last_login_at: Nullable(Described(Timestamp, 'When they last signed in; null: never')),
  },
  { title: 'User', description: 'A person, across all tenants' },
)
export type User = Static<typeof User>

export const UserChanges = Patch(
  {
    name: Line(200, 'Ada Lovelace', 'How to call you'),
    phone: Nullable(Line(40, '+41 44 123 45 67', 'As you write it; null: none')),
    locale: Locale,
    timezone: TimeZone,
  },
  { title: 'UserChanges' },
)
export type UserChanges = Static<typeof UserChanges>

export const UserSettings = Closed(
  {
    user_id: Described(Uuid, 'The person that they are the settings of'),
    updated_at: Nullable(Described(Timestamp, 'When they were last changed; null: never')),
  },
  { title: 'UserSettings', description: 'What a person has set, across tenants' },
)
export type UserSettings = Static<typeof UserSettings>

export const UserSettingsPatch = SettingsPatch('UserSettingsPatch')

/** A user as it stands on the wire. `lastLoginAt` lives in a table of its own: see `findLogin`. */
export function presentUser(ctx: Pick<Ctx, 'config'>, row: UserRow, lastLoginAt: string | null): User {
  return pickFields(User, { ...row, avatar_url: pictureUrl(ctx, row.avatar_id), last_login_at: lastLoginAt })
}
