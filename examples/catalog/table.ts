// catalog/table.ts: the row, once
import type { Generated, TenantRow } from 'tenantry'

/** Beside tenant_id, id, created_at and updated_at. */
export interface ArticleTable extends TenantRow {
  store_id: string
  name: string
  price_cents: number
  sold_until: string | null
  status: Generated<'active' | 'retired'>
}

declare module 'tenantry' {
  interface Tables {
    articles: ArticleTable
  }
}
