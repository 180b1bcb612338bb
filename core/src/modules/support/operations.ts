import { type Ctx, notFound, type SupportSection, type SupportSubject } from '#kernel'
import { listTenantsOf } from '../members/index.ts'
import { getStore } from '../stores/index.ts'
import { findTenant } from '../tenants/index.ts'
import { findUserByEmail, getUser, normalizeEmail, rolesOfOperator } from '../users/index.ts'
import { collect } from './collect.ts'
import { supportViewed } from './events.ts'
import { rank } from './findings.ts'
import { listOwned } from './queries.ts'
import type { SupportAnswer, SupportQuery } from './schema.ts'

/** How many tenants of a person are looked at. */
export const MOST_TENANTS = 50

/**
 * What explains tickets about an address, as far as the operator's roles see it. That it was looked up is recorded before
 * anything is read. Throws 404 for a tenant or store that is not there, never for an address.
 */
export async function answerSupport(ctx: Ctx, query: SupportQuery): Promise<SupportAnswer> {
  const { subject, sections, hasMore } = await ctx.transaction((ctx) => begin(ctx, query), {
    role: 'system',
    tenantId: null,
  })
  const collected = await collect(ctx, sections, subject)
  const { findings, leftOut } = rank(collected)
  const shown = collected.flatMap(({ section, answer }) => (answer ? [[section.name, answer.shown] as const] : []))
  const partial = collected.filter(({ answer }) => answer === null || answer.leftOut).map(({ section }) => section.name)
  return {
    email: subject.email,
    findings,
    left_out: [...(hasMore ? ['tenants'] : []), ...(leftOut ? ['findings'] : []), ...partial],
    sections: Object.fromEntries(shown),
  }
}

interface Begun {
  subject: SupportSubject
  /** Those that the operator may see. */
  sections: SupportSection[]
  hasMore: boolean
}

async function begin(ctx: Ctx, query: SupportQuery): Promise<Begun> {
  const { tx } = ctx
  const email = normalizeEmail(query.email) ?? query.email
  const [asker, person] = await Promise.all([getUser(tx, ctx.userId), findUserByEmail(tx, email)])
  const held: readonly string[] = rolesOfOperator(asker)
  const mayAll = held.includes('all')
  const sections = [...ctx.registry.support.values()].filter(
    ({ roles }) => mayAll || roles.some((role) => held.includes(role)),
  )
  const userId = person?.id ?? null
  const tenantId = query.tenant_id?.toLowerCase() ?? null
  const storeId = query.store_id?.toLowerCase() ?? null
  await requireThere(ctx, tenantId, storeId)
  const all = await tenantsOf(ctx, userId, tenantId)
  // Where somebody belongs is for those who look after people; who owns a tenant stands in the list of tenants.
  const seesPeople = mayAll || held.includes('support') || held.includes('operations')
  const isTold = seesPeople || userId === null || tenantId !== null
  const tenantIds = isTold ? all.ids : await listOwned(tx, all.ids, userId)
  const permission = query.permission ?? null
  await ctx.emit(supportViewed, {
    id: userId,
    label: null,
    storeId: null,
    after: { user_id: userId, tenant_id: tenantId, permission },
  })
  const subject = { email, userId, tenantIds, tenantId, storeId, permission }
  return { subject, sections, hasMore: all.hasMore && seesPeople }
}

async function requireThere({ tx }: Ctx, tenantId: string | null, storeId: string | null): Promise<void> {
  if (tenantId === null) return
  if (!(await findTenant(tx, tenantId))) throw notFound()
  if (storeId !== null) await getStore(tx, tenantId, storeId)
}

async function tenantsOf({ tx }: Ctx, userId: string | null, tenantId: string | null) {
  if (tenantId !== null) return { ids: [tenantId], hasMore: false }
  if (userId === null) return { ids: [], hasMore: false }
  const ids = await listTenantsOf(tx, userId, MOST_TENANTS + 1)
  return { ids: ids.slice(0, MOST_TENANTS), hasMore: ids.length > MOST_TENANTS }
}
