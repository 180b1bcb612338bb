// catalog/table.ts: the row, once
import type { Generated, TenantRow } from '#kernel'

/** Beside tenant_id, id, created_at and updated_at. */
export interface ArticleTable extends TenantRow {
  store_id: string
  name: string
  price_cents: number
  status: Generated<'active' | 'retired'>
}

declare module '#kernel' {
  interface Tables {
    articles: ArticleTable
  }
}
