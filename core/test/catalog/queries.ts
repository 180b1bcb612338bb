// catalog/queries.ts: SQL and nothing else; takes tx first, names tenant_id always
import { columnsOf, type Insertable, type Tx } from '#kernel'
import { Article } from './schema.ts'
import type { ArticleTable } from './table.ts'

// What is read of a row is what is shown of it.
const columns = columnsOf(Article)

export const insertArticle = (tx: Tx, article: Insertable<ArticleTable>) =>
  tx.insertInto('articles').values(article).returning(columns).executeTakeFirstOrThrow()

export const selectArticles = (tx: Tx, tenantId: string) =>
  tx.selectFrom('articles').select(columns).where('tenant_id', '=', tenantId)

export const updatePrice = (
  tx: Tx,
  tenantId: string,
  id: string,
  change: { price_cents: number; updated_at: string },
) =>
  tx
    .updateTable('articles')
    .set(change)
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .returning(columns)
    .executeTakeFirstOrThrow()

export const findStoreToTell = (tx: Tx, tenantId: string, id: string) =>
  tx
    .selectFrom('stores')
    .select(['name', 'email'])
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .executeTakeFirst()
