import {
  Closed,
  CreatedAt,
  Described,
  Line,
  NOTIFICATION_TYPES,
  Nullable,
  OneOf,
  OwnId,
  type Static,
  Type,
  Uuid,
} from '#kernel'

const fields = {
  title: Line(200, 'Maintenance on Sunday', 'What it is about. Plain text, shown as it is'),
  message: Type.String({
    minLength: 1,
    maxLength: 4_000,
    pattern: '\\S',
    says: 'must be a text that shows something',
    description: 'The news. Plain text, shown as it is; a blank line begins a paragraph',
    examples: ['On Sunday from 2 to 3 a.m. (UTC) nothing can be saved.'],
  }),
  type: OneOf(NOTIFICATION_TYPES, { description: 'How much it presses' }),
}
const tenantIds = (description: string) =>
  Type.Array(Uuid, { minItems: 1, maxItems: 1_000, uniqueItems: true, description })

export const NewAnnouncement = Closed(
  { ...fields, tenant_ids: Type.Optional(tenantIds('Whose people are told. Left out: those of all tenants')) },
  { title: 'NewAnnouncement' },
)
export type NewAnnouncement = Static<typeof NewAnnouncement>

export const Announcement = Closed(
  {
    id: OwnId,
    ...fields,
    tenant_ids: Nullable(tenantIds('Whose people are told; null: those of all tenants')),
    created_at: Described(CreatedAt, 'When it was made; people are told from then on'),
  },
  { title: 'Announcement', description: 'News of those who run the installation' },
)
export type Announcement = Static<typeof Announcement>
