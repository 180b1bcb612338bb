// catalog/queries.ts: SQL and nothing else; takes tx first, names tenant_id always
import {
  columnsOf,
  containing,
  type Insertable,
  preparedList,
  type SweepPage,
  type Tx,
  type Updateable,
} from 'tenantry'
import { Article, type ArticleFilter } from './schema.ts'
import type { ArticleTable } from './table.ts'

// What is read of a row is what is shown of it.
const columns = columnsOf(Article)

export const insertArticle = (tx: Tx, article: Insertable<ArticleTable>) =>
  tx.insertInto('articles').values(article).returning(columns).executeTakeFirstOrThrow()

export const selectArticles = (tx: Tx, tenantId: string) =>
  tx.selectFrom('articles').select(columns).where('tenant_id', '=', tenantId)

/** Unordered and unbounded, for `page`. What it says without a filter is built once, so the time may not stand in it. */
export const listArticles = preparedList((tx, tenantId, { q, status }: ArticleFilter) => {
  let query = selectArticles(tx, tenantId)
  if (status) query = query.where('status', '=', status)
  // `containing` escapes what LIKE reads otherwise: who looks for 50% finds that.
  return q ? query.where('name', 'ilike', containing(q)) : query
})

export const updateArticle = (tx: Tx, tenantId: string, id: string, change: Updateable<ArticleTable>) =>
  tx
    .updateTable('articles')
    .set(change)
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .returning(columns)
    .executeTakeFirstOrThrow()

/** Retires what is sold no longer at that moment. In one statement, so that nothing is retired twice. */
export const updateEnded = (tx: Tx, tenantId: string, now: string) =>
  tx
    .updateTable('articles')
    .set({ status: 'retired', updated_at: now })
    .where('tenant_id', '=', tenantId)
    .where('status', '=', 'active')
    .where('sold_until', '<=', now)
    .returning(columns)
    .execute()

/** Across tenants, by their ids: those that have something to retire. */
export async function listTenantsWithEnded(tx: Tx, { now, after, limit }: SweepPage & { now: string }) {
  const query = tx
    .selectFrom('articles')
    .select('tenant_id')
    .distinct()
    .where('status', '=', 'active')
    .where('sold_until', '<=', now)
    .orderBy('tenant_id')
    .limit(limit)
  return (after === null ? query : query.where('tenant_id', '>', after)).execute()
}

export const findStoreToTell = (tx: Tx, tenantId: string, id: string) =>
  tx
    .selectFrom('stores')
    .select(['name', 'email'])
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .executeTakeFirst()
