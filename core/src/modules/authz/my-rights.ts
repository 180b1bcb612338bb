import { createHash } from 'node:crypto'
import { Answer, type Ctx, type PlanOverview, type Route } from '#kernel'
import { findBar, requireKnownStore } from './bars.ts'
import { findPlanObstacle, readPlan, routesByPermission, routesOpenTo } from './plan.ts'
import type { MyRights } from './schema.ts'

/**
 * What the caller may do in the tenant, or in one store of it: every permission for which `explain` says `allowed`, by the
 * same checks, read at once rather than once for each. The `ETag` names the content, so that a client with the same one
 * need not be sent it again. Throws 404 for a store that is not the tenant's.
 */
export async function readMyRights(ctx: Ctx, store_id: string | undefined): Promise<Answer<MyRights>> {
  const storeId = store_id?.toLowerCase() ?? null
  if (storeId !== null) await requireKnownStore(ctx, storeId)
  const [bar, plan] = await Promise.all([findBar(ctx, ctx.principal?.userId ?? null), readPlan(ctx)])
  const rights = bar ? NOTHING : rightsOf(ctx, plan, storeId)
  const version = versionOf(rights)
  return new Answer(200, { ...rights, version }, { etag: `"${version}"` })
}

type Rights = Omit<MyRights, 'version'>

const NOTHING: Rights = { permissions: [], features: [], limits: {}, roles: [] }

function rightsOf(ctx: Ctx, plan: PlanOverview | undefined, storeId: string | null): Rights {
  const { permissions, features } = ctx.registry
  const routes = routesByPermission(ctx)
  const isAllowed = (code: string) => ctx.can(code, storeId) && isOpen(ctx, plan, routes.get(code) ?? [])
  const limits = Object.entries(plan?.limits ?? {}).map(([limit, { used, max }]) => [limit, { used, max }] as const)
  return {
    permissions: [...permissions.keys()].filter(isAllowed).sort(),
    features: [...(plan?.features ?? features.keys())].sort(),
    limits: Object.fromEntries(limits.sort(([a], [b]) => (a < b ? -1 : 1))),
    roles: rolesOf(ctx, storeId),
  }
}

/** Whether any of the routes that need a permission is open to the caller, and allowed by the plan. */
function isOpen({ principal }: Ctx, plan: PlanOverview | undefined, routes: readonly Route[]): boolean {
  const open = routesOpenTo(principal?.userId ?? null, routes)
  return open !== undefined && !findPlanObstacle(plan, open)
}

/** All roles of the caller, or those that count in the store. In an order of their own: the database has none. */
function rolesOf({ grants }: Ctx, storeId: string | null): Rights['roles'] {
  return grants
    .filter((grant) => storeId === null || grant.storeId === null || grant.storeId === storeId)
    .map(({ roleId, role, storeId: store_id }) => ({ role_id: roleId, role, store_id }))
    .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
}

const keyOf = ({ store_id, role_id }: Rights['roles'][number]) => `${store_id ?? ''} ${role_id}`

/** The same for the same content, whoever asks and about whichever store: all parts stand in a fixed order. */
function versionOf(rights: Rights): string {
  return createHash('sha256').update(JSON.stringify(rights)).digest('base64url').slice(0, 22)
}
