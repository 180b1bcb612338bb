// catalog/schema.ts: the wire, once; type, validation, serialisation and OpenAPI come from it
import { Closed, Line, Timestamp, Type, Uuid } from '#kernel'

const name = Line(200, 'Espresso')
const price_cents = Type.Integer({ minimum: 0, maximum: 100_000_000 })

export const Article = Closed(
  { id: Uuid, tenant_id: Uuid, store_id: Uuid, name, price_cents, created_at: Timestamp, updated_at: Timestamp },
  { title: 'Article' },
)
export const NewArticle = Closed({ store_id: Uuid, name, price_cents })
export type NewArticle = Type.Static<typeof NewArticle>
export const ArticleParams = Closed({ id: Uuid })
export const Price = Closed({ price_cents })
