// catalog/schema.ts: the wire, once; type, validation, serialisation and OpenAPI come from it
import { Closed, CreatedAt, Described, Line, OwnId, TenantId, Type, UpdatedAt, Uuid } from '#kernel'

const store_id = Described(Uuid, 'The store that sells it')
const name = Line(200, 'Espresso', 'What the menu says')
const price_cents = Type.Integer({
  minimum: 0,
  maximum: 100_000_000,
  description: "Price in the smallest unit of the store's currency",
})

export const Article = Closed(
  { id: OwnId, tenant_id: TenantId, store_id, name, price_cents, created_at: CreatedAt, updated_at: UpdatedAt },
  { title: 'Article', description: 'Something that a store sells' },
)
export const NewArticle = Closed({ store_id, name, price_cents })
export type NewArticle = Type.Static<typeof NewArticle>
export const ArticleParams = Closed({ id: Uuid })
export const Price = Closed({ price_cents })
