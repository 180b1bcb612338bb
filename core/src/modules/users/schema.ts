import type { Static } from 'typebox'
import Type from 'typebox'
import { Closed, Line, Locale, Nullable, OneOf, SettingsPatch, Timestamp, TimeZone, Uuid } from '#kernel'
import type { UserRow } from './table.ts'

export const User = Closed(
  {
    id: Uuid,
    created_at: Timestamp,
    updated_at: Timestamp,
    email: Type.String({ examples: ['ada@example.com'] }),
    name: Type.String({ examples: ['Ada Lovelace'] }),
    phone: Nullable(Type.String({ examples: ['+41 44 123 45 67'] })),
    avatar_url: Nullable(Type.String()),
    locale: Type.String({ description: 'BCP 47 language tag', examples: ['de-CH'] }),
    timezone: Type.String({ description: 'IANA time zone', examples: ['Europe/Zurich'] }),
    email_verified_at: Nullable(Timestamp),
    two_factor_enabled: Type.Boolean(),
    is_super_admin: Type.Boolean(),
    status: OneOf(['active', 'disabled']),
    last_login_at: Nullable(Timestamp),
  },
  { title: 'User', description: 'A person, across all tenants' },
)
export type User = Static<typeof User>

export const UserChanges = Closed(
  {
    name: Type.Optional(Line(200, 'Ada Lovelace')),
    phone: Type.Optional(Nullable(Line(40, '+41 44 123 45 67'))),
    locale: Type.Optional(Locale),
    timezone: Type.Optional(TimeZone),
  },
  { title: 'UserChanges' },
)
export type UserChanges = Static<typeof UserChanges>

export const UserSettings = Closed(
  { user_id: Uuid, updated_at: Nullable(Timestamp) },
  { title: 'UserSettings', description: 'What a person has set, across tenants' },
)
export type UserSettings = Static<typeof UserSettings>

export const UserSettingsPatch = SettingsPatch('UserSettingsPatch')

/** A user as it stands on the wire. `lastLoginAt` lives in a table of its own: see `findLogin`. */
export function presentUser(row: UserRow, lastLoginAt: string | null): User {
  return {
    id: row.id,
    created_at: row.created_at,
    updated_at: row.updated_at,
    email: row.email,
    name: row.name,
    phone: row.phone,
    avatar_url: row.avatar_url,
    locale: row.locale,
    timezone: row.timezone,
    email_verified_at: row.email_verified_at,
    two_factor_enabled: row.two_factor_enabled,
    is_super_admin: row.is_super_admin,
    status: row.status,
    last_login_at: lastLoginAt,
  }
}
