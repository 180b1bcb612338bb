import { page } from '#kernel'
import { tenantsExported } from './events.ts'
import { byRows, type Filed } from './list-file.ts'
import { presentListed } from './present.ts'
import { type AdminTenantRow, listAdminTenants, listAdminTenantsAfter } from './queries.ts'
import { ListedTenant, type TenantFilter } from './schema.ts'

const NEWEST_FIRST = {
  by: [
    { column: 't.created_at', as: 'created_at' },
    { column: 't.id', as: 'id' },
  ],
} as const // the names are those of columns

/** All tenants that match, the newest first. */
export function tenantList({ q, status, plan_id }: TenantFilter): Filed<ListedTenant> {
  const filter = { q, status, plan_id }
  return byRows<AdminTenantRow, ListedTenant>({
    name: 'tenants',
    item: ListedTenant,
    async page(ctx) {
      const { data, next_cursor } = await page(ctx, listAdminTenants(ctx.tx, filter), NEWEST_FIRST)
      return { data: data.map((row) => presentListed(ctx, row)), next_cursor }
    },
    rowsAfter: ({ tx }, last, limit) => listAdminTenantsAfter(tx, filter, last && [last.created_at, last.id], limit),
    present: presentListed,
    record(ctx) {
      const after = { q: q ?? null, status: status ?? null, plan_id: plan_id ?? null }
      return ctx.emit(tenantsExported, { id: null, after, storeId: null })
    },
  })
}
