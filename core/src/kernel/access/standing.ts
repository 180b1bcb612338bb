import pg from 'pg'
import { MINUTES, SECONDS } from '../clock.ts'
import type { Core } from '../core.ts'
import type { Tx } from '../db/tables.ts'
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
  /** Listens for other processes' changes; until it does, nothing is remembered. */
  start(): Promise<void>
  close(): Promise<void>
  readonly size: number
}

export const FORGET_CHANNEL = 'tenantry_forget'
const MAX_ENTRIES = 20_000
const MAX_AGE_MS = 1 * MINUTES
const RECONNECT_MS = 1 * SECONDS
const PROBE_MS = 10 * SECONDS
const PROBE_ANSWER_MS = 5 * SECONDS

interface Entry {
  principal: Principal
  resolved: Resolved
  until: number
}

/**
 * Remembers who may do what. An entry lives only while the LISTEN connection does, so that a revocation in any process
 * reaches this one within milliseconds or not at all needs to: a lost connection empties the cache.
 */
export function createStandingCache(core: Core, listenUrl: string, { maxEntries = MAX_ENTRIES } = {}): StandingCache {
  const entries = new Map<string, Entry>()
  const loading = new Map<string, Promise<Resolved>>()
  /** Counts what was forgotten: an answer loaded before a change must not be kept after it. */
  let changes = 0
  let listener: pg.Client | undefined
  let closed = false

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

  function forgetAll(): void {
    changes++
    loading.clear()
    entries.clear()
  }

  async function load(authenticator: Authenticator, principal: Principal): Promise<Resolved> {
    const before = changes
    const resolved = await ask(core, authenticator, principal)
    if (listener && before === changes) {
      if (entries.size >= maxEntries && !entries.has(principal.key)) entries.delete(entries.keys().next().value!) // full, so there is a first
      entries.set(principal.key, { principal, resolved, until: core.clock.ms() + MAX_AGE_MS })
    }
    return resolved
  }

  async function listen(): Promise<void> {
    const client = new pg.Client({ connectionString: listenUrl, application_name: 'tenantry listen', keepAlive: true })
    let probe: NodeJS.Timeout | undefined
    const lost = (error?: Error) => {
      clearInterval(probe)
      if (listener !== client) return
      listener = undefined
      forgetAll()
      void client.end().catch(() => {}) // it may be half open
      core.log.warn({ err: error }, 'the notification connection was lost; permissions are read anew until it is back')
      listenAgain()
    }
    client.on('error', lost)
    client.once('end', lost)
    client.on('notification', ({ payload }) => forget(JSON.parse(payload ?? '{}') as Forget)) // sent by ctx.forget
    try {
      await client.connect()
      await client.query(`listen ${FORGET_CHANNEL}`)
    } catch (error) {
      await client.end().catch(() => {})
      throw error
    }
    if (closed) return client.end()
    // What was remembered while nobody listened cannot be trusted; nothing is, but a load may be under way.
    forgetAll()
    listener = client
    // A connection that died without a word looks alive until it is used.
    probe = setInterval(() => void isAlive(client).then((alive) => alive || lost()), PROBE_MS)
    probe.unref()
  }

  function listenAgain(): void {
    const timer = setTimeout(() => {
      if (closed) return
      listen().catch((error: Error) => {
        core.log.warn({ err: error }, 'the notification connection is not back yet')
        listenAgain()
      })
    }, RECONNECT_MS)
    timer.unref()
  }

  return {
    async resolve(authenticator, principal) {
      const entry = entries.get(principal.key)
      if (entry && isFresh(entry, core.clock.ms())) return entry.resolved
      // Sharing a load is remembering too: it may have begun before a change that nobody tells us of.
      if (!listener) return load(authenticator, principal)
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
    start: listen,
    async close() {
      closed = true
      const client = listener
      listener = undefined
      forgetAll()
      await client?.end()
    },
    get size() {
      return entries.size
    },
  }
}

/** No older than it may be, and not from a time that is yet to come: a clock that was set back makes nothing last longer. */
function isFresh({ until }: Entry, now: number): boolean {
  return now < until && now >= until - MAX_AGE_MS
}

/** Whether the connection answers in time. */
async function isAlive(client: pg.Client): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), PROBE_ANSWER_MS)
  })
  const answered = client.query('select 1').then(
    () => true,
    () => false,
  )
  return Promise.race([answered, late]).finally(() => clearTimeout(timer))
}

function askStore(core: Core, directory: StoreDirectory, tenantId: string, storeId: string): Promise<boolean> {
  return core.db.transaction({ tenantId, role: 'app', readOnly: true }, (tx) => directory(tx, tenantId, storeId))
}

async function ask(core: Core, authenticator: Authenticator, principal: Principal): Promise<Resolved> {
  return core.db.transaction({ tenantId: principal.tenantId, role: 'app', readOnly: true }, async (tx) => {
    const standing = await authenticator.standing(tx, principal, core)
    const grants: Grant[] = []
    if (principal.tenantId !== null) {
      for (const source of core.registry.grantSources) grants.push(...(await source(tx, principal, core)))
    }
    return resolve(standing, narrow(grants, standing.scopes))
  })
}

/** What a person may do in the principal's tenant, by what the transaction sees; nothing narrows it. */
export async function resolveGrants(core: Core, tx: Tx, principal: Principal): Promise<Resolved> {
  const grants: Grant[] = []
  for (const source of core.registry.grantSources) grants.push(...(await source(tx, principal, core)))
  return resolve({ actor: principal.actor, superAdmin: false, scopes: null }, grants)
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
