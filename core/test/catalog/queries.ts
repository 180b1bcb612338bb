// catalog/queries.ts: SQL and nothing else; takes tx first, names tenant_id always
import type { Insertable, Tx } from '#kernel'
import type { ArticleTable } from './table.ts'

export const insertArticle = (tx: Tx, article: Insertable<ArticleTable>) =>
  tx.insertInto('articles').values(article).returningAll().executeTakeFirstOrThrow()

export const selectArticles = (tx: Tx, tenantId: string) =>
  tx.selectFrom('articles').selectAll().where('tenant_id', '=', tenantId)

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
    .returningAll()
    .executeTakeFirstOrThrow()

export const findStoreToTell = (tx: Tx, tenantId: string, id: string) =>
  tx
    .selectFrom('stores')
    .select(['name', 'email'])
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .executeTakeFirst()
