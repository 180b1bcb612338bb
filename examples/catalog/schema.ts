// catalog/schema.ts: the wire, once; type, validation, serialisation and OpenAPI come from it
import {
  Closed,
  CreatedAt,
  Described,
  Line,
  ListQuery,
  Moment,
  Nullable,
  OneOf,
  OwnId,
  Search,
  TenantId,
  Type,
  UpdatedAt,
  Uuid,
} from 'tenantry'

const store_id = Described(Uuid, 'The store that sells it')
const name = Line(200, 'Espresso', 'What the menu says')
export const price_cents = Type.Integer({
  minimum: 0,
  maximum: 100_000_000,
  description: "Price in the smallest unit of the store's currency",
})
const sold_until = Nullable(Moment('When it stops being sold; null: never'))
const status = OneOf(['active', 'retired'], { description: '`retired` once it is sold no longer' })

export const Article = Closed(
  {
    id: OwnId,
    tenant_id: TenantId,
    store_id,
    name,
    price_cents,
    sold_until,
    status,
    created_at: CreatedAt,
    updated_at: UpdatedAt,
  },
  { title: 'Article', description: 'Something that a store sells' },
)
export const NewArticle = Closed({ store_id, name, price_cents, sold_until: Type.Optional(sold_until) })
export type NewArticle = Type.Static<typeof NewArticle>
export const ArticleParams = Closed({ id: Uuid })
/** The filters of the list; `limit` and `cursor` stand beside them. */
export const ArticleQuery = ListQuery({
  q: Type.Optional(Search(200, 'Part of the name, in upper or lower case')),
  status: Type.Optional(status),
})
export type ArticleFilter = Pick<Type.Static<typeof ArticleQuery>, 'q' | 'status'>
export const Price = Closed({ price_cents })
export const PlannedPrice = Closed({ price_cents, from: Moment('When the price begins to count') })
export type PlannedPrice = Type.Static<typeof PlannedPrice>
