import Type, { type Static } from 'typebox'
import { Closed, Line, Nullable, OneOf, SettingsPatch, Timestamp, Uuid } from '#kernel'
import { isReserved } from './slugs.ts'

const name = Line(200, 'Blue Bottle Coffee')

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

const color = Type.String({
  pattern: '^#[0-9A-Fa-f]{6}$',
  says: 'must be a colour such as #1a73e8',
  examples: ['#1a73e8'],
})

const ownBranding = {
  primary_color: Nullable(color),
  accent_color: Nullable(color),
  email_from_name: Nullable(Line(100, 'Blue Bottle')),
}

export const Branding = Closed({ logo_url: Nullable(Type.String()), ...ownBranding }, { title: 'Branding' })
export type Branding = Static<typeof Branding>

export const BrandingPatch = Type.Partial(Closed(ownBranding), { additionalProperties: false, title: 'BrandingPatch' })
export type BrandingPatch = Static<typeof BrandingPatch>

export const Tenant = Closed(
  {
    id: Uuid,
    name,
    slug: Type.String(),
    status: OneOf(['active', 'suspended', 'deleted']),
    owner_id: Uuid,
    branding: Branding,
    created_at: Timestamp,
    updated_at: Timestamp,
  },
  { title: 'Tenant' },
)
export type Tenant = Static<typeof Tenant>

export const NewTenant = Closed({ name, slug: Type.Optional(Slug) }, { title: 'NewTenant' })
export type NewTenant = Static<typeof NewTenant>

export const TenantPatch = Type.Partial(Closed({ name, slug: Slug }), {
  additionalProperties: false,
  title: 'TenantPatch',
})
export type TenantPatch = Static<typeof TenantPatch>

const lines = (maxLength: number, example: string) => Type.String({ maxLength, examples: [example] })

export const Invoicing = Closed(
  {
    prefix: Type.String({
      pattern: '^[A-Za-z0-9][A-Za-z0-9_./-]{0,19}$',
      says: 'must be up to 20 letters, digits and the signs _ . / -, beginning with a letter or digit',
      description: 'Begins every invoice number.',
      examples: ['INV'],
    }),
    rounding: OneOf(['line', 'total'], { description: 'Where tax is rounded: in each line, or in the total.' }),
    tax_id: Nullable(Line(50, 'CHE-123.456.789')),
    legal_name: Nullable(Line(200, 'Blue Bottle AG')),
    address: Nullable(lines(500, 'Bahnhofstrasse 1\n8001 Zürich')),
    footer: Nullable(lines(2000, 'Payable within 30 days')),
  },
  { title: 'Invoicing' },
)
export type Invoicing = Static<typeof Invoicing>

export const TenantSettings = Closed(
  { id: Uuid, tenant_id: Uuid, created_at: Timestamp, updated_at: Timestamp },
  { title: 'TenantSettings' },
)
export type TenantSettings = Static<typeof TenantSettings>

export const TenantSettingsPatch = SettingsPatch('TenantSettingsPatch')
