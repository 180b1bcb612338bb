import Type, { type Static, type TProperties } from 'typebox'
import {
  Closed,
  Email,
  Line,
  ListQuery,
  Nullable,
  OneOf,
  Search,
  SettingsPatch,
  Timestamp,
  TimeZone,
  Uuid,
} from '#kernel'

const addressFields = {
  line1: Nullable(Line(200, 'Bahnhofstrasse 1')),
  line2: Nullable(Line(200, '2nd floor')),
  city: Nullable(Line(100, 'Zürich')),
  region: Nullable(Line(100, 'ZH')),
  postal_code: Nullable(Line(20, '8001')),
  country: Nullable(
    Type.String({
      pattern: '^[A-Z]{2}$',
      says: 'must be the two capital letters of a country, such as CH',
      description: 'ISO 3166-1 alpha-2',
      examples: ['CH'],
    }),
  ),
}

export const Address = Closed(addressFields, { title: 'Address' })
export type Address = Static<typeof Address>

const name = Line(200, 'Zürich Main Station')
const status = OneOf(['active', 'inactive'])
const phone = Nullable(Line(40, '+41 44 123 45 67'))
const email = Nullable(Email)

export const Store = Closed(
  {
    tenant_id: Uuid,
    id: Uuid,
    name: Type.String(),
    code: Type.String(),
    status,
    address: Nullable(Address),
    phone: Nullable(Type.String()),
    email: Nullable(Type.String()),
    timezone: Nullable(Type.String()),
    is_default: Type.Boolean(),
    created_at: Timestamp,
    updated_at: Timestamp,
  },
  { title: 'Store' },
)
export type Store = Static<typeof Store>

const code = Type.String({
  pattern: '^[A-Za-z0-9_-]{1,20}$',
  says: 'must be 1 to 20 letters, digits, hyphens and underscores',
  description: 'Unique in the tenant, kept in upper case. Made from the name when a new store has none.',
  examples: ['ZRH-1'],
})

const writable = {
  name,
  code,
  status,
  address: Nullable(partial(addressFields, 'AddressPatch')),
  phone,
  email,
  timezone: Nullable(TimeZone),
  is_default: Type.Boolean({ description: 'There is always exactly one default store; true moves it here.' }),
}

export const StorePatch = partial(writable, 'StorePatch')
export type StorePatch = Static<typeof StorePatch>

export const NewStore = Closed({ ...StorePatch.properties, name }, { title: 'NewStore' })
export type NewStore = Static<typeof NewStore>

export const StoreParams = Closed({ id: Uuid })

export const StoreQuery = ListQuery({
  q: Type.Optional(Search(200, 'Part of the name or code, in upper or lower case.')),
  status: Type.Optional(status),
})

const time = (example: string) =>
  Type.String({
    pattern: '^([01]\\d|2[0-3]):[0-5]\\d$',
    says: 'must be a time of day such as 09:00',
    examples: [example],
  })
const hoursOfDay = Type.Array(Closed({ open: time('09:00'), close: time('18:30') }), {
  maxItems: 6,
  description: 'In local time. A `close` at or before `open` is on the next day. Empty: closed.',
})

const openingHours = {
  monday: hoursOfDay,
  tuesday: hoursOfDay,
  wednesday: hoursOfDay,
  thursday: hoursOfDay,
  friday: hoursOfDay,
  saturday: hoursOfDay,
  sunday: hoursOfDay,
}

export const OpeningHours = Closed(openingHours, { title: 'OpeningHours' })
export type OpeningHours = Static<typeof OpeningHours>

export const StoreSettings = Closed(
  { tenant_id: Uuid, id: Uuid, created_at: Timestamp, updated_at: Timestamp },
  { title: 'StoreSettings', description: "What is null is as in the tenant's settings, or unknown." },
)
export type StoreSettings = Static<typeof StoreSettings>

export const StoreSettingsPatch = SettingsPatch('StoreSettingsPatch')

/** The body of a PUT: any of the fields, no other. */
function partial<P extends TProperties>(properties: P, title: string) {
  return Type.Partial(Closed(properties), { additionalProperties: false, title })
}
