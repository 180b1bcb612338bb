import Type, { type Static } from 'typebox'
import {
  Closed,
  CreatedAt,
  Described,
  Line,
  Nullable,
  OneOf,
  OwnId,
  Patch,
  SettingsPatch,
  TenantId,
  UpdatedAt,
  Uuid,
} from '#kernel'
import { isLikeId, isReserved } from './slugs.ts'

const name = Line(200, 'Blue Bottle Coffee', 'What people call the company')

/** A slug that a person chose; what is made from a name follows the same rules. */
export const Slug = Type.Refine(
  Type.Refine(
    Type.String({
      minLength: 3,
      maxLength: 63,
      pattern: '^[a-z0-9]+(-[a-z0-9]+)*$',
      says: 'must be lower-case letters and digits, with single hyphens between them',
      description: 'Lower-case letters, digits and single hyphens between them; no UUID. Some words are reserved.',
      examples: ['blue-bottle'],
    }),
    (slug) => !isReserved(slug),
    () => 'is reserved',
  ),
  (slug) => !isLikeId(slug),
  () => 'must not be a UUID, which is the form of ids',
)

const color = (description: string) =>
  Type.String({
    pattern: '^#[0-9A-Fa-f]{6}$',
    says: 'must be a colour such as #1a73e8',
    description: `${description}, as # and six hexadecimal digits; null: the product's own`,
    examples: ['#1a73e8'],
  })

const ownBranding = {
  primary_color: Nullable(color('Colour of buttons and links: with a contrast of 3 to white at least')),
  accent_color: Nullable(color('Second colour, such as the line above mails')),
  email_from_name: Nullable(
    Line(100, 'Blue Bottle', 'Name that mails of the tenant show as their sender; null: that of the tenant'),
  ),
}

export const Branding = Closed(
  {
    logo_url: Nullable(
      Type.String({
        description: 'Where the logo is, up to 256 pixels high; less with `?size=128` or `?size=64`. Null: none',
        examples: ['https://app.example.com/api/v1/pictures/0b7e9c52-6f3d-4c1e-8a2b-5d9f7c3e1a64'],
      }),
    ),
    ...ownBranding,
  },
  { title: 'Branding', description: 'What the tenant looks like to its people and customers' },
)
export type Branding = Static<typeof Branding>

export const BrandingPatch = Patch(ownBranding, { title: 'BrandingPatch' })
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

/** What records keep of a suspension and its end. */
export const SuspendedTenant = Closed(
  {
    ...Tenant.properties,
    reason: Nullable(Type.String({ description: 'Why, as the operator said; null: no reason' })),
  },
  { title: 'SuspendedTenant' },
)

export const NewTenant = Closed(
  { name, slug: Type.Optional(Slug) },
  { title: 'NewTenant', examples: [{ name: 'Second Cup', slug: 'second-cup' }] },
)
export type NewTenant = Static<typeof NewTenant>

export const TenantPatch = Patch(
  { name, slug: Slug },
  { title: 'TenantPatch', examples: [{ name: 'Blue Bottle Coffee', slug: 'blue-bottle-coffee' }] },
)
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

export const TenantSettings = Closed(
  {
    id: Described(Uuid, 'The same as `tenant_id`'),
    tenant_id: TenantId,
    created_at: CreatedAt,
    updated_at: UpdatedAt,
  },
  { title: 'TenantSettings' },
)
export type TenantSettings = Static<typeof TenantSettings>

export const TenantSettingsPatch = SettingsPatch('TenantSettingsPatch')
