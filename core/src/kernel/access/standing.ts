import { createNetworks } from '../addresses/networks.ts'
import { MINUTES } from '../clock.ts'
import type { Ctx } from '../context.ts'
import type { Core } from '../core.ts'
import { coreOf } from '../core-of.ts'
import { contextIn } from '../create-context.ts'
import type { Tx } from '../db/tables.ts'
import { isUuid } from '../ids.ts'
import { SIGNAL_CHANNEL, type SignalBox } from '../signals.ts'
import { createNotifications, ECHO_TIMES, type EchoTimes } from './notifications.ts'
import { heldRoles, type OperatorRole } from './operators.ts'
import type { Actor, Authenticator, Grant, PerMinute, Principal, Standing, StoreDirectory } from './slots.ts'
import { findThrottle, throttled } from './throttles.ts'

/** A principal with its permissions, valid until something they depend on changes. */
export interface Resolved {
  actor: Actor
  superAdmin: boolean
  /** An operator acts as this person, and only looks. */
  readOnly: boolean
  /** What they may do who run the installation; with `all` for a super admin. */
  operatorRoles: ReadonlySet<OperatorRole>
  scopes: readonly string[] | null
  /** The credential's own figure; null: what its kind may. */
  requestsPerMinute: number | null
  /** Whether the credential may be used from an address; null: from any. */
  mayComeFrom: ((address: string) => boolean) | null
  /** When the credential ends by itself, in milliseconds since the epoch; null: never. */
  endsAtMs: number | null
  /** When something of it ends by itself that the credential outlives, in milliseconds since the epoch; null: nothing does. */
  changesAtMs: number | null
  /** The tenant's figures for limits `per: 'minute'`, by name; one that is missing or null: any number. */
  perMinute: ReadonlyMap<string, number | null>
  grants: readonly Grant[]
  /** Permissions held for the whole tenant. */
  tenantWide: ReadonlySet<string>
  /** Permissions held for single stores. */
  byStore: ReadonlyMap<string, ReadonlySet<string>>
  /** Stores looked up so far: whether each exists and is active. */
  stores: Map<string, boolean>
}

/** What to clear: all entries that depend on this person, tenant, session or API key. */
export interface Forget {
  userId?: string
  tenantId?: string
  sessionId?: string
  apiKeyId?: string
}

/** Whether what a principal may do rests on any of these; nobody's does. */
export const concerns = (what: Forget, principal: Principal | null): boolean =>
  principal !== null &&
  ((what.userId !== undefined && (principal.userId === what.userId || principal.createdBy === what.userId)) ||
    (what.tenantId !== undefined && principal.tenantId === what.tenantId) ||
    (what.sessionId !== undefined &&
      (principal.sessionId === what.sessionId || principal.begunIn === what.sessionId)) ||
    (what.apiKeyId !== undefined && principal.apiKeyId === what.apiKeyId))

export interface StandingCache {
  /** Throws what the authenticator throws for a principal that is not valid any more. */
  resolve(authenticator: Authenticator, principal: Principal): Promise<Resolved>
  /** True when the tenant's store exists and is active. */
  hasStore(resolved: Resolved, tenantId: string, storeId: string): Promise<boolean>
  /** Clears entries in this process, null: all; other processes get the notification that the transaction sends. */
  forget(what: Forget | null): void
  /**
   * Tells of all that is cleared from now on, by this process or another; null: everything, since changes may have gone
   * unnoticed. For what rests on a credential after its request was answered. Returns how to stop.
   */
  watch(listener: (what: Forget | null) => void): () => void
  /** Listens for changes of other processes; nothing is cached until they are known to arrive. */
  start(): Promise<void>
  /** Whether a notification sent now comes back in time. */
  test(withinMs: number): Promise<boolean>
  close(): Promise<void>
  readonly size: number
}

export const FORGET_CHANNEL = 'tenantry_forget'
const MAX_ENTRIES = 20_000
const MAX_AGE_MS = 1 * MINUTES

interface Entry {
  principal: Principal
  resolved: Resolved
  until: number
}

export interface StandingCacheOptions {
  maxEntries?: number
  times?: EchoTimes
  /** What else comes on the same connection. */
  signals?: Pick<SignalBox, 'heard' | 'lost'>
}

/**
 * Caches permissions while notifications of all processes are known to arrive, so that a revocation in any process
 * reaches this one within milliseconds. Without an echo in the last 15 seconds nothing is cached.
 */
export function createStandingCache(
  core: Core,
  listenUrl: string,
  { maxEntries = MAX_ENTRIES, times = ECHO_TIMES, signals }: StandingCacheOptions = {},
): StandingCache {
  const entries = new Map<string, Entry>()
  const loading = new Map<string, Promise<Resolved>>()
  /** Counts clearings: an answer loaded before a change must not be cached after it. */
  let changes = 0
  const notifications = createNotifications(core, listenUrl, {
    channels: {
      [FORGET_CHANNEL]: (payload) => {
        const what = readForget(payload)
        if (what) forget(what)
        else forgetAll()
      },
      ...(signals && { [SIGNAL_CHANNEL]: signals.heard }),
    },
    times,
    lost: () => {
      forgetAll()
      signals?.lost()
    },
  })
  const watchers = new Set<(what: Forget | null) => void>()

  function forget(what: Forget): void {
    changes++
    loading.clear()
    for (const [key, { principal }] of entries) {
      if (concerns(what, principal)) entries.delete(key)
    }
    for (const tell of watchers) tell(what)
  }

  /** Never longer than the maximum from now: a clock that was ahead may have stored a later end. */
  const isFresh = ({ until }: Entry) => {
    const leftMs = until - core.clock.ms()
    return leftMs > 0 && leftMs <= MAX_AGE_MS
  }

  function forgetAll(): void {
    changes++
    loading.clear()
    entries.clear()
    for (const tell of watchers) tell(null)
  }

  const lastMoment = ({ endsAtMs, changesAtMs }: Resolved) =>
    Math.min(core.clock.ms() + MAX_AGE_MS, endsAtMs ?? Infinity, changesAtMs ?? Infinity)

  async function load(authenticator: Authenticator, principal: Principal): Promise<Resolved> {
    const before = changes
    const resolved = await ask(core, authenticator, principal)
    if (notifications.hears && before === changes) {
      if (entries.size >= maxEntries && !entries.has(principal.key)) entries.delete(entries.keys().next().value!) // full, so there is a first
      entries.set(principal.key, { principal, resolved, until: lastMoment(resolved) })
    }
    return resolved
  }

  return {
    async resolve(authenticator, principal) {
      // Sharing a running load is caching too: it may have started before a change of which no notification arrives.
      if (!notifications.hears) return load(authenticator, principal)
      const entry = entries.get(principal.key)
      if (entry && isFresh(entry)) return entry.resolved
      let pending = loading.get(principal.key)
      if (!pending) {
        pending = load(authenticator, principal).finally(() => {
          if (loading.get(principal.key) === pending) loading.delete(principal.key)
        })
        loading.set(principal.key, pending)
      }
      return pending
    },
    async hasStore(resolved, tenantId, storeId) {
      const known = resolved.stores.get(storeId)
      if (known !== undefined) return known
      const directory = core.registry.storeDirectory
      const exists = directory ? await askStore(core, directory, tenantId, storeId) : false
      // Only existing stores are cached: there is no end of unknown ids.
      if (exists) resolved.stores.set(storeId, true)
      return exists
    },
    forget: (what) => (what === null ? forgetAll() : forget(what)),
    watch(listener) {
      watchers.add(listener)
      return () => void watchers.delete(listener)
    },
    start: notifications.start,
    test: notifications.test,
    close: notifications.close,
    get size() {
      return entries.size
    },
  }
}

/** What a notification asks to clear; undefined, for everything, for null and what `ctx.forget` does not send. */
export function readForget(payload: string | undefined): Forget | undefined {
  let value: unknown
  try {
    value = JSON.parse(payload ?? '')
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const entries = Object.entries(value)
  const isKnown = ([name, id]: [string, unknown]) => FORGET_FIELDS.has(name) && isUuid(id)
  return entries.length > 0 && entries.every(isKnown) ? (value as Forget) : undefined // its fields were just looked at
}

const FORGET_FIELDS: ReadonlySet<string> = new Set<keyof Forget>(['userId', 'tenantId', 'sessionId', 'apiKeyId'])

function askStore(core: Core, directory: StoreDirectory, tenantId: string, storeId: string): Promise<boolean> {
  return core.db.transaction({ tenantId, role: 'app', readOnly: true }, (tx) => directory(tx, tenantId, storeId))
}

async function ask(core: Core, authenticator: Authenticator, principal: Principal): Promise<Resolved> {
  return core.db.transaction({ tenantId: principal.tenantId, role: 'app', readOnly: true }, async (tx) => {
    const standing = await authenticator.standing(tx, principal, core)
    const grants = principal.tenantId === null ? [] : await askGrantSources(core, tx, principal)
    return resolve(standing, narrow(grants, standing.scopes), await askPace(core, tx, principal))
  })
}

/** The permissions of a person in the principal's tenant as the transaction sees them, not limited to scopes. */
export async function resolveGrants(core: Core, tx: Tx, principal: Principal): Promise<Resolved> {
  const grants = await askGrantSources(core, tx, principal)
  return resolve({ actor: principal.actor, superAdmin: false, scopes: null }, grants)
}

/**
 * The grants of a principal from all sources as the transaction sees them: not cached and not limited to the scopes of
 * the credential.
 */
export function grantsOf(ctx: Ctx, principal: Principal): Promise<Grant[]> {
  return askGrantSources(coreOf(ctx), ctx.tx, principal)
}

async function askGrantSources(core: Core, tx: Tx, principal: Principal): Promise<Grant[]> {
  const grants: Grant[] = []
  for (const source of core.registry.grantSources) grants.push(...(await source(tx, principal, core)))
  return grants
}

/** How much of a tenant may come in a minute: as its plan says, and no more than an operator lets through. */
type Pace = Pick<Resolved, 'perMinute' | 'changesAtMs'>

async function askPace(core: Core, tx: Tx, { tenantId }: Principal): Promise<Pace> {
  if (tenantId === null) return UNBOUNDED
  const [planned, throttle] = await Promise.all([askPerMinute(core, tx, tenantId), findThrottle(core, tx, tenantId)])
  const perMinute = new Map(Object.entries(planned.figures))
  const ends = [planned.until, throttle?.until ?? null].filter((at) => at !== null).map((at) => Date.parse(at))
  return {
    perMinute: throttle === null ? perMinute : throttled(perMinute, throttle),
    changesAtMs: ends.length === 0 ? null : Math.min(...ends),
  }
}

async function askPerMinute(core: Core, tx: Tx, tenantId: string): Promise<PerMinute> {
  const { allowances } = core.registry
  if (!allowances?.perMinute) return NO_FIGURES
  return allowances.perMinute(contextIn(core, tx, tenantId))
}

const NO_FIGURES: PerMinute = { figures: {}, until: null }
const UNBOUNDED: Pace = { perMinute: new Map(), changesAtMs: null }

function narrow(grants: Grant[], scopes: readonly string[] | null): Grant[] {
  if (scopes === null) return grants
  return grants.map((grant) => ({ ...grant, permissions: grant.permissions.filter((code) => scopes.includes(code)) }))
}

function resolve(standing: Standing, grants: Grant[], pace = UNBOUNDED): Resolved {
  const tenantWide = new Set<string>()
  const byStore = new Map<string, Set<string>>()
  for (const { storeId, permissions } of grants) {
    if (storeId === null) for (const code of permissions) tenantWide.add(code)
    else byStore.set(storeId, new Set([...(byStore.get(storeId) ?? []), ...permissions]))
  }
  const { actor, scopes, requestsPerMinute = null, networks = null, endsAt = null } = standing
  // Whoever acts as somebody else has nothing that an operator has, whatever that person is.
  const isImpersonated = actor.impersonatorId !== null
  const superAdmin = standing.superAdmin && !isImpersonated
  const mayComeFrom = networks && createNetworks(networks)
  const endsAtMs = endsAt === null ? null : Date.parse(endsAt)
  const limits = { requestsPerMinute, mayComeFrom, endsAtMs }
  const operatorRoles = heldRoles(superAdmin, isImpersonated ? [] : standing.operatorRoles)
  return {
    actor,
    superAdmin,
    readOnly: isImpersonated && (standing.readOnly ?? false),
    operatorRoles,
    scopes,
    ...limits,
    ...pace,
    grants,
    tenantWide,
    byStore,
    stores: new Map(),
  }
}
