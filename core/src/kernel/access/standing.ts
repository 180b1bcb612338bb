import { MINUTES } from '../clock.ts'
import type { Ctx } from '../context.ts'
import type { Core } from '../core.ts'
import { coreOf } from '../core-of.ts'
import type { Tx } from '../db/tables.ts'
import { isUuid } from '../ids.ts'
import { createNotifications, ECHO_TIMES, type EchoTimes } from './notifications.ts'
import type { Actor, Authenticator, Grant, Principal, StoreDirectory } from './slots.ts'

/** What a principal is and may do, resolved: valid until something it rests on changes. */
export interface Resolved {
  actor: Actor
  superAdmin: boolean
  scopes: readonly string[] | null
  grants: readonly Grant[]
  /** Permissions held for the whole tenant. */
  tenantWide: ReadonlySet<string>
  /** Permissions held for single stores. */
  byStore: ReadonlyMap<string, ReadonlySet<string>>
  /** Stores asked for so far: whether each exists and is active. */
  stores: Map<string, boolean>
}

/** What to forget: everything that rests on this person, tenant or session. */
export interface Forget {
  userId?: string
  tenantId?: string
  sessionId?: string
}

export interface StandingCache {
  /** Throws what the authenticator throws for a principal that is worth nothing any more. */
  resolve(authenticator: Authenticator, principal: Principal): Promise<Resolved>
  /** True when the tenant's store exists and is active. */
  hasStore(resolved: Resolved, tenantId: string, storeId: string): Promise<boolean>
  /** Forgets in this process at once; other processes are told by the notification that the transaction sends. */
  forget(what: Forget): void
  /** Listens for other processes' changes; until it is proven that they are heard, nothing is remembered. */
  start(): Promise<void>
  /** Whether a notification that is sent now comes back in time. */
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
}

/**
 * Remembers who may do what, while it is proven that the changes of all processes are heard: then a revocation in any of
 * them reaches this one within milliseconds. Without a proof of the last 15 seconds nothing is remembered.
 */
export function createStandingCache(
  core: Core,
  listenUrl: string,
  { maxEntries = MAX_ENTRIES, times = ECHO_TIMES }: StandingCacheOptions = {},
): StandingCache {
  const entries = new Map<string, Entry>()
  const loading = new Map<string, Promise<Resolved>>()
  /** Counts what was forgotten: an answer loaded before a change must not be kept after it. */
  let changes = 0
  const notifications = createNotifications(core, listenUrl, {
    channel: FORGET_CHANNEL,
    times,
    heard: (payload) => {
      const what = readForget(payload)
      if (what) forget(what)
      else forgetAll()
    },
    lost: forgetAll,
  })

  function forget(what: Forget): void {
    changes++
    loading.clear()
    for (const [key, { principal }] of entries) {
      if (
        (what.userId && principal.userId === what.userId) ||
        (what.tenantId && principal.tenantId === what.tenantId) ||
        (what.sessionId && principal.sessionId === what.sessionId)
      )
        entries.delete(key)
    }
  }

  /** Never longer than from now on: a clock that was ahead has left later ends. */
  const isFresh = ({ until }: Entry) => {
    const leftMs = until - core.clock.ms()
    return leftMs > 0 && leftMs <= MAX_AGE_MS
  }

  function forgetAll(): void {
    changes++
    loading.clear()
    entries.clear()
  }

  async function load(authenticator: Authenticator, principal: Principal): Promise<Resolved> {
    const before = changes
    const resolved = await ask(core, authenticator, principal)
    if (notifications.hears && before === changes) {
      if (entries.size >= maxEntries && !entries.has(principal.key)) entries.delete(entries.keys().next().value!) // full, so there is a first
      entries.set(principal.key, { principal, resolved, until: core.clock.ms() + MAX_AGE_MS })
    }
    return resolved
  }

  return {
    async resolve(authenticator, principal) {
      // Sharing a load is remembering too: it may have begun before a change that nobody tells us of.
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
      // Only what exists is remembered: unknown ids are endless.
      if (exists) resolved.stores.set(storeId, true)
      return exists
    },
    forget,
    start: notifications.start,
    test: notifications.test,
    close: notifications.close,
    get size() {
      return entries.size
    },
  }
}

/** What a notification asks to forget; undefined for anything that is not exactly what `ctx.forget` sends. */
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

const FORGET_FIELDS: ReadonlySet<string> = new Set<keyof Forget>(['userId', 'tenantId', 'sessionId'])

function askStore(core: Core, directory: StoreDirectory, tenantId: string, storeId: string): Promise<boolean> {
  return core.db.transaction({ tenantId, role: 'app', readOnly: true }, (tx) => directory(tx, tenantId, storeId))
}

async function ask(core: Core, authenticator: Authenticator, principal: Principal): Promise<Resolved> {
  return core.db.transaction({ tenantId: principal.tenantId, role: 'app', readOnly: true }, async (tx) => {
    const standing = await authenticator.standing(tx, principal, core)
    const grants = principal.tenantId === null ? [] : await askGrantSources(core, tx, principal)
    return resolve(standing, narrow(grants, standing.scopes))
  })
}

/** What a person may do in the principal's tenant, by what the transaction sees; nothing narrows it. */
export async function resolveGrants(core: Core, tx: Tx, principal: Principal): Promise<Resolved> {
  const grants = await askGrantSources(core, tx, principal)
  return resolve({ actor: principal.actor, superAdmin: false, scopes: null }, grants)
}

/**
 * What every source of grants says of a principal, by what the transaction sees: neither remembered nor narrowed to the
 * scopes of a credential.
 */
export function grantsOf(ctx: Ctx, principal: Principal): Promise<Grant[]> {
  return askGrantSources(coreOf(ctx), ctx.tx, principal)
}

async function askGrantSources(core: Core, tx: Tx, principal: Principal): Promise<Grant[]> {
  const grants: Grant[] = []
  for (const source of core.registry.grantSources) grants.push(...(await source(tx, principal, core)))
  return grants
}

function narrow(grants: Grant[], scopes: readonly string[] | null): Grant[] {
  if (scopes === null) return grants
  return grants.map((grant) => ({ ...grant, permissions: grant.permissions.filter((code) => scopes.includes(code)) }))
}

function resolve(standing: Pick<Resolved, 'actor' | 'superAdmin' | 'scopes'>, grants: Grant[]): Resolved {
  const tenantWide = new Set<string>()
  const byStore = new Map<string, Set<string>>()
  for (const { storeId, permissions } of grants) {
    if (storeId === null) for (const code of permissions) tenantWide.add(code)
    else byStore.set(storeId, new Set([...(byStore.get(storeId) ?? []), ...permissions]))
  }
  return { ...standing, grants, tenantWide, byStore, stores: new Map() }
}
