import { type Ctx, pickFields } from '#kernel'
import { presentTenant } from '../tenants/index.ts'
import type { AdminTenantRow } from './queries.ts'
import { ListedTenant } from './schema.ts'

/** A tenant as it stands in lists of operators. */
export function presentListed(ctx: Pick<Ctx, 'config'>, row: AdminTenantRow): ListedTenant {
  const { plan_id: id, plan_code: code, plan_name: name } = row
  const plan = id === null || code === null || name === null ? null : { id, code, name }
  return pickFields(ListedTenant, { ...row, ...presentTenant(ctx, row), plan })
}
