import { at, type Ctx, type Grant, grantsOf, invalidRequest, type Principal } from '#kernel'
import { findBar, requireKnownStore } from './bars.ts'
import { findPlanObstacle, readPlan, routesByPermission, routesOpenTo } from './plan.ts'
import type { Explanation, Question, Reason } from './schema.ts'

export const NO_PERMISSION = 'is not a permission'

/**
 * What would happen to a request that needs `permission`. The checks run in the order of a real request: the tenant is
 * active, the person is a member, their roles grant it there, the credential's scopes include it, the plan allows it. An API
 * key that names nobody asks about itself.
 */
export async function explain(ctx: Ctx, question: Question): Promise<Explanation> {
  const { permission } = question
  const me = ctx.principal?.userId ?? null
  const userId = question.user_id?.toLowerCase() ?? me
  const storeId = question.store_id?.toLowerCase() ?? null
  if (!ctx.registry.permissions.has(permission)) {
    throw invalidRequest({ errors: [at('permission', NO_PERMISSION)] })
  }
  const aboutMe = userId === me
  if (!aboutMe) ctx.require('role.view')
  if (storeId !== null) await requireKnownStore(ctx, storeId)

  const bar = await findBar(ctx, userId)
  if (bar) return denied(bar)

  // No person's roles stand behind a key's scopes, so these are the first thing that it can lack.
  if (userId === null && ctx.scopes?.includes(permission) === false) return denied('not_in_scopes', { permission })

  const grants = await listGrants(ctx, userId)
  const isInScope = () => !aboutMe || ctx.can(permission, storeId)
  return explainGrants(ctx, { permission, storeId, userId, grants, isInScope })
}

interface Held {
  permission: string
  storeId: string | null
  userId: string | null
  grants: readonly Grant[]
  /** Whether the credential lets its holder use what they hold. */
  isInScope: () => boolean
}

/** What is held, and what the plan allows of it. */
async function explainGrants(ctx: Ctx, { permission, storeId, userId, grants, isInScope }: Held): Promise<Explanation> {
  const giving = grants.filter((grant) => grant.permissions.includes(permission))
  const here = giving.filter((grant) => grant.storeId === null || grant.storeId === storeId)
  if (here.length === 0) return withoutGrant(permission, storeId === null ? giving : [])
  if (!isInScope()) return { ...denied('not_in_scopes', { permission }), via: via(here) }
  const open = routesOpenTo(userId, routesByPermission(ctx).get(permission) ?? [])
  // All that it opens is for people: no scope gives that to a key.
  if (!open) return { ...denied('not_in_scopes', { permission }), via: via(here) }
  const obstacle = findPlanObstacle(await readPlan(ctx), open)
  if (obstacle) return { allowed: false, via: via(here), ...obstacle }
  return { allowed: true, reason: 'granted', via: via(here) }
}

/**
 * The same about a person, asked by those who run the installation, who hold nothing in the tenant: the caller has seen to it that
 * they are. In a transaction of the tenant; the permission is one that there is, and the store the tenant's.
 */
export async function explainForOperator(
  ctx: Ctx,
  { permission, storeId, userId }: { permission: string; storeId: string | null; userId: string },
): Promise<Explanation> {
  const bar = await findBar(ctx, userId)
  if (bar) return denied(bar)
  const grants = await grantsOf(ctx, absentee(ctx, userId))
  return explainGrants(ctx, { permission, storeId, userId, grants, isInScope: () => true })
}

/** A person's grants from all sources, as for a request of theirs, without the limits of a credential's scopes. */
function listGrants(ctx: Ctx, userId: string | null): Promise<Grant[]> {
  const isMe = userId === (ctx.principal?.userId ?? null)
  return grantsOf(ctx, isMe && ctx.principal ? ctx.principal : absentee(ctx, userId))
}

/** The principal of a person who does not make the request themselves. */
function absentee(ctx: Ctx, userId: string | null): Principal {
  const actor = { type: 'user' as const, id: userId, label: '', impersonatorId: null }
  return { key: '', tenantId: ctx.tenantId, userId, sessionId: null, actor }
}

function withoutGrant(permission: string, elsewhere: readonly Grant[]): Explanation {
  const reason = elsewhere.length > 0 ? 'store_only' : 'no_role'
  return { allowed: false, reason, via: via(elsewhere), missing: { permission } }
}

const denied = (reason: Reason, missing?: Explanation['missing']): Explanation => ({
  allowed: false,
  reason,
  via: [],
  ...(missing && { missing }),
})

const via = (grants: readonly Grant[]): Explanation['via'] =>
  grants.map(({ roleId, role, storeId }) => ({ role_id: roleId, role, store_id: storeId }))
