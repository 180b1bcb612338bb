import Type, { type Static } from 'typebox'
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
  SettingsPatch,
  TenantId,
  TimeZone,
  UpdatedAt,
  Uuid,
} from '#kernel'

const addressFields = {
  line1: Nullable(Line(200, 'Bahnhofstrasse 1', 'Street and number')),
  line2: Nullable(Line(200, '2nd floor', 'What else it takes to find the door')),
  city: Nullable(Line(100, 'Zürich', 'Town or city')),
  region: Nullable(Line(100, 'ZH', 'State, canton or province')),
  postal_code: Nullable(Line(20, '8001', 'As it is written in the country')),
  country: Nullable(
    Type.String({
      pattern: '^[A-Z]{2}$',
      says: 'must be the two capital letters of a country, such as CH',
      description: 'ISO 3166-1 alpha-2, in capital letters',
      examples: ['CH'],
    }),
  ),
}

export const Address = Closed(addressFields, {
  title: 'Address',
  description: 'A postal address; what is not known is null',
})
export type Address = Static<typeof Address>

const name = Line(200, 'Zürich Main Station', 'What people call it; unique in the tenant, whatever the case')
const status = OneOf(['active', 'inactive'], {
  description: '`inactive`: kept, but nobody may act for it (`X-Store-ID` is refused)',
})
const phone = Nullable(Line(40, '+41 44 123 45 67', 'Where customers call; as people write it'))
const email = Nullable(Described(Email, 'Where customers write'))

export const Store = Closed(
  {
    tenant_id: TenantId,
    id: OwnId,
    name: Type.String({ description: 'What people call it' }),
    code: Type.String({ description: 'Short and unique in the tenant, in upper case: for receipts, labels, reports' }),
    status,
    address: Nullable(Address),
    phone: Nullable(Type.String({ description: 'Where customers call; null: not told' })),
    email: Nullable(Type.String({ description: 'Where customers write; null: not told' })),
    timezone: Nullable(Type.String({ description: "IANA time zone; null: the tenant's" })),
    is_default: Type.Boolean({ description: 'Whether it is the one that is meant where none is named' }),
    created_at: CreatedAt,
    updated_at: UpdatedAt,
  },
  { title: 'Store', description: 'A place where a tenant does business: a shop, a branch, a warehouse' },
)
export type Store = Static<typeof Store>

const code = Type.String({
  pattern: '^[A-Za-z0-9_-]{1,20}$',
  says: 'must be 1 to 20 letters, digits, hyphens and underscores',
  description: 'Unique in the tenant, kept in upper case. Made from the name when a new store has none.',
  examples: ['ZRH-1'],
})

const CHANGES = 'What changes: an absent field stays as it is, null clears it'
const writable = {
  name,
  code,
  status,
  address: Nullable(Patch(addressFields, { title: 'AddressPatch', description: CHANGES })),
  phone,
  email,
  timezone: Nullable(TimeZone),
  is_default: Type.Boolean({ description: 'There is always exactly one default store; true moves it here.' }),
}

export const StorePatch = Patch(writable, { title: 'StorePatch', description: CHANGES })
export type StorePatch = Static<typeof StorePatch>

export const NewStore = Closed({ ...StorePatch.properties, name }, { title: 'NewStore' })
export type NewStore = Static<typeof NewStore>

export const StoreParams = Closed({ id: Uuid })

export const StoreQuery = ListQuery({
  q: Type.Optional(Search(200, 'Part of the name or code, in upper or lower case.')),
  status: Type.Optional(status),
})

const time = (example: string, description: string) =>
  Type.String({
    description: `${description}, as HH:MM of 24 hours`,
    pattern: '^([01]\\d|2[0-3]):[0-5]\\d$',
    says: 'must be a time of day such as 09:00',
    examples: [example],
  })
const hoursOfDay = Type.Array(
  Closed({ open: time('09:00', 'When it opens'), close: time('18:30', 'When it closes') }),
  {
    maxItems: 6,
    description: 'In local time. A `close` at or before `open` is on the next day. Empty: closed.',
  },
)

const openingHours = {
  monday: hoursOfDay,
  tuesday: hoursOfDay,
  wednesday: hoursOfDay,
  thursday: hoursOfDay,
  friday: hoursOfDay,
  saturday: hoursOfDay,
  sunday: hoursOfDay,
}

export const OpeningHours = Closed(openingHours, {
  title: 'OpeningHours',
  description: 'When the store is open, by the day of the week',
})
export type OpeningHours = Static<typeof OpeningHours>

export const StoreSettings = Closed(
  {
    tenant_id: TenantId,
    id: Described(Uuid, 'The store that they are the settings of'),
    created_at: CreatedAt,
    updated_at: UpdatedAt,
  },
  { title: 'StoreSettings', description: "What is null is as in the tenant's settings, or unknown." },
)
export type StoreSettings = Static<typeof StoreSettings>

export const StoreSettingsPatch = SettingsPatch('StoreSettingsPatch')
