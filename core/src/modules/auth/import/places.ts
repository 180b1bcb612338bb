import { type Ctx, isUuid } from '#kernel'
import { findRole, findRoleByName } from '../../roles/index.ts'
import { findIdBySlug, findTenant, tenantLocale, tenantTimeZone } from '../../tenants/index.ts'

/** A tenant that people are imported into. */
export interface Place {
  id: string
  slug: string
  locale: string
  timezone: string
  /** Whether it may get anybody; else why not, as the end of a sentence about the person. */
  refusal: string | null
  /** How many more people its plan allows; null: any number. */
  seats: number | null
}

/** A tenant and the role to hold there; null: what new members get. */
export interface Joining {
  place: Place
  roleId: string | null
}

/** A tenant or role that is not to be had. The message is a sentence without its full stop. */
export class NoSuchPlace extends Error {
  override name = 'NoSuchPlace'
}

/** Looks up the tenants and roles that a file names, each once while they are few. */
export interface Places {
  /** Throws NoSuchPlace. */
  find(tenant: string, role: string | null): Promise<Joining>
  /** Takes a seat; false when the plan allows no more people. */
  take(place: Place): boolean
  give(place: Place): void
}

/** A file may name a tenant of its own on every line. */
const MOST_KEPT = 1_000

/** `keeps`: nothing is going to be written, so what is taken has to be remembered. */
export function createPlaces(ctx: Ctx, { keeps }: { keeps: boolean }): Places {
  const places = new Map<string, Promise<Place>>()
  const roles = new Map<string, Promise<string>>()
  const taken = new Map<string, number>()
  const count = (place: Place, change: number) => {
    if (place.seats === null) return
    place.seats -= change
    if (keeps) taken.set(place.id, (taken.get(place.id) ?? 0) + change)
  }
  const load = async (tenant: string) => {
    const place = await loadPlace(ctx, tenant)
    return { ...place, seats: place.seats === null ? null : place.seats - (taken.get(place.id) ?? 0) }
  }
  return {
    async find(tenant, role) {
      const place = await remembered(places, tenant.toLowerCase(), () => load(tenant))
      if (role === null) return { place, roleId: null }
      return { place, roleId: await remembered(roles, `${place.id} ${role}`, () => loadRole(ctx, place, role)) }
    },
    take(place) {
      if (place.seats !== null && place.seats < 1) return false
      count(place, 1)
      return true
    },
    give: (place) => count(place, -1),
  }
}

/** What was looked up before; of many it forgets the oldest. What could not be found is looked up again. */
function remembered<T>(kept: Map<string, Promise<T>>, key: string, load: () => Promise<T>): Promise<T> {
  const known = kept.get(key)
  if (known) return known
  const found = load()
  kept.set(key, found)
  found.catch(() => kept.delete(key))
  const [oldest] = kept.keys()
  if (kept.size > MOST_KEPT && oldest !== undefined) kept.delete(oldest)
  return found
}

async function loadPlace(ctx: Ctx, tenant: string): Promise<Place> {
  const name = tenant.toLowerCase()
  const id = isUuid(name)
    ? name
    : await ctx.transaction(({ tx }) => findIdBySlug(tx, name), { tenantId: null, readOnly: true })
  const none = () => new NoSuchPlace(`there is no tenant ${quoted(tenant)}`)
  if (id === undefined) throw none()
  return ctx.transaction(
    async (ctx) => {
      const found = await findTenant(ctx.tx, id)
      if (!found || found.status === 'deleted') throw none()
      const [locale, timezone, plan] = await Promise.all([
        ctx.setting(tenantLocale),
        ctx.setting(tenantTimeZone),
        ctx.registry.allowances?.overview(ctx),
      ])
      const { used = 0, max = null } = plan?.limits.users ?? {}
      const refusal =
        found.status !== 'active'
          ? `is ${found.status}`
          : plan?.writable === false
            ? 'has no subscription in force'
            : null
      return { id, slug: found.slug, locale, timezone, refusal, seats: max === null ? null : max - used }
    },
    { tenantId: id, readOnly: true },
  )
}

async function loadRole(ctx: Ctx, { id, slug }: Place, role: string): Promise<string> {
  const found = await ctx.transaction(
    (ctx) => (isUuid(role) ? findRole(ctx.tx, id, role.toLowerCase()) : findRoleByName(ctx, role)),
    { tenantId: id, readOnly: true },
  )
  if (!found) throw new NoSuchPlace(`there is no role ${quoted(role)} in ${slug}`)
  if (found.scope === 'store' && found.key === null)
    throw new NoSuchPlace(`the role ${quoted(role)} in ${slug} is held for single stores, which are given afterwards`)
  return found.id
}

/** A name out of the file, short and on one line. */
export const quoted = (name: string) => JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}…` : name)
