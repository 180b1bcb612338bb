import Type, { type Static } from 'typebox'
import {
  Closed,
  CreatedAt,
  Described,
  Line,
  Locale,
  Nullable,
  OneOf,
  OwnId,
  TenantId,
  Timestamp,
  TimeZone,
  UpdatedAt,
  Uuid,
} from '#kernel'
import { Currency, Extra } from './formats.ts'
import { isReserved } from './slugs.ts'

const name = Line(200, 'Blue Bottle Coffee', 'What people call the company')

/** A slug that a person chose; what is made from a name follows the same rules. */
export const Slug = Type.Refine(
  Type.String({
    minLength: 3,
    maxLength: 63,
    pattern: '^[a-z0-9]+(-[a-z0-9]+)*$',
    says: 'must be lower-case letters and digits, with single hyphens between them',
    description: 'Lower-case letters, digits and single hyphens between them. Some words are reserved.',
    examples: ['blue-bottle'],
  }),
  (slug) => !isReserved(slug),
  () => 'is reserved',
)

const color = (description: string) =>
  Type.String({
    pattern: '^#[0-9A-Fa-f]{6}$',
    says: 'must be a colour such as #1a73e8',
    description: `${description}, as # and six hexadecimal digits; null: the product's own`,
    examples: ['#1a73e8'],
  })

const ownBranding = {
  primary_color: Nullable(color('Colour of buttons and links')),
  accent_color: Nullable(color('Second colour')),
  email_from_name: Nullable(
    Line(100, 'Blue Bottle', 'Name that mails of the tenant show as their sender; null: that of the tenant'),
  ),
}

export const Branding = Closed(
  { logo_url: Nullable(Type.String({ description: 'Where the logo is; null: none' })), ...ownBranding },
  { title: 'Branding', description: 'What the tenant looks like to its people and customers' },
)
export type Branding = Static<typeof Branding>

export const BrandingPatch = Type.Partial(Closed(ownBranding), { additionalProperties: false, title: 'BrandingPatch' })
export type BrandingPatch = Static<typeof BrandingPatch>

export const Tenant = Closed(
  {
    id: OwnId,
    name,
    slug: Type.String({ description: 'Its name in addresses: unique among all tenants' }),
    status: OneOf(['active', 'suspended', 'deleted'], {
      description: '`suspended`: by the operator, nobody can sign in to it; `deleted`: the same, until it is removed',
    }),
    owner_id: Described(Uuid, 'One of its owners: the person who founded it, or who followed'),
    branding: Branding,
    created_at: CreatedAt,
    updated_at: UpdatedAt,
  },
  { title: 'Tenant', description: 'A company that uses the product; nobody sees the data of another one' },
)
export type Tenant = Static<typeof Tenant>

export const NewTenant = Closed({ name, slug: Type.Optional(Slug) }, { title: 'NewTenant' })
export type NewTenant = Static<typeof NewTenant>

export const TenantPatch = Type.Partial(Closed({ name, slug: Slug }), {
  additionalProperties: false,
  title: 'TenantPatch',
})
export type TenantPatch = Static<typeof TenantPatch>

const lines = (maxLength: number, example: string, description: string) =>
  Type.String({ maxLength, description, examples: [example] })

export const Invoicing = Closed(
  {
    prefix: Type.String({
      pattern: '^[A-Za-z0-9][A-Za-z0-9_./-]{0,19}$',
      says: 'must be up to 20 letters, digits and the signs _ . / -, beginning with a letter or digit',
      description: 'Begins every invoice number.',
      examples: ['INV'],
    }),
    rounding: OneOf(['line', 'total'], { description: 'Where tax is rounded: in each line, or in the total.' }),
    tax_id: Nullable(Line(50, 'CHE-123.456.789', 'Number for VAT or sales tax; null: none')),
    legal_name: Nullable(Line(200, 'Blue Bottle AG', 'Name of the company in law; null: that of the tenant')),
    address: Nullable(lines(500, 'Bahnhofstrasse 1\n8001 Zürich', 'Postal address, with line breaks')),
    footer: Nullable(lines(2000, 'Payable within 30 days', 'Text below every invoice, with line breaks')),
  },
  { title: 'Invoicing', description: 'What stands on the invoices of the tenant, and how they are reckoned' },
)
export type Invoicing = Static<typeof Invoicing>

const ownSettings = {
  timezone: TimeZone,
  locale: Locale,
  currency: Currency,
  date_format: OneOf(['YYYY-MM-DD', 'YYYY/MM/DD', 'DD.MM.YYYY', 'DD/MM/YYYY', 'DD-MM-YYYY', 'MM/DD/YYYY'], {
    description: 'How dates are shown to people',
  }),
  require_two_factor: Type.Boolean({
    description: 'Members must use a second factor. Who sets it must use one already.',
  }),
  two_factor_grace_days: Type.Integer({
    minimum: 0,
    maximum: 90,
    description: 'How many days members may take to set it up.',
  }),
  session_max_age_hours: Type.Integer({
    minimum: 1,
    maximum: 8760,
    description: 'Hours after which a session ends, used or not.',
  }),
  audit_retention_days: Type.Integer({
    minimum: 1,
    maximum: 3650,
    description:
      'How many days records of what happened are kept at least. They are removed by whole months (UTC): one is kept at most 31 days longer. Less than before takes the permission `audit.retention`, is not less than the operator allows, and holds after 30 days; the same as before, or more, holds at once.',
  }),
}

const PendingRetention = Nullable(
  Closed(
    {
      days: Type.Integer({ description: 'What `audit_retention_days` becomes' }),
      takes_effect_at: Described(Timestamp, 'From when it holds'),
    },
    {
      title: 'PendingRetention',
      description: 'A shorter time that does not hold yet. Setting `audit_retention_days` to what it is takes it back.',
    },
  ),
)

export const TenantSettings = Closed(
  {
    id: Described(Uuid, 'The same as `tenant_id`'),
    tenant_id: TenantId,
    ...ownSettings,
    audit_retention_pending: PendingRetention,
    invoice: Invoicing,
    extra: Extra,
    created_at: CreatedAt,
    updated_at: UpdatedAt,
  },
  { title: 'TenantSettings' },
)
export type TenantSettings = Static<typeof TenantSettings>

export const TenantSettingsPatch = Type.Partial(
  Closed({
    ...ownSettings,
    invoice: Type.Partial(Invoicing, {
      additionalProperties: false,
      title: 'InvoicingPatch',
      description: 'What changes: an absent field stays as it is, null clears it',
    }),
    extra: Extra,
  }),
  { additionalProperties: false, title: 'TenantSettingsPatch' },
)
export type TenantSettingsPatch = Static<typeof TenantSettingsPatch>
