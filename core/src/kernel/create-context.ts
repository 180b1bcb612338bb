import { sql } from 'kysely'
import { denied } from './access/denied.ts'
import { type Grounds, note } from './access/grounds.ts'
import { ONLY_READS } from './access/impersonation.ts'
import { isOperatorWith, type PartialOperatorRole } from './access/operators.ts'
import type { Actor, Principal } from './access/slots.ts'
import { FORGET_CHANNEL, type Forget, type Resolved } from './access/standing.ts'
import { type StoreSight, wholeSight } from './access/store-scope.ts'
import type { Ctx, ListRequest, Origin, TransactionOptions } from './context.ts'
import type { Core } from './core.ts'
import { CORE } from './core-of.ts'
import type { DatabaseRole } from './db/database.ts'
import { sqlState } from './db/errors.ts'
import { sendUnawaited } from './db/kysely.ts'
import type { Tx } from './db/tables.ts'
import { permissionDenied, tenantRequired, unauthenticated } from './errors.ts'
import { emitEvent } from './events/emit.ts'
import type { Identity } from './http/identify.ts'
import type { Parts } from './http/parts.ts'
import { isUuid } from './ids.ts'
import { enqueueJob } from './jobs/enqueue.ts'
import { postMail } from './mails/define.ts'
import { postNotice } from './notices/define.ts'
import { readSetting } from './settings/values.ts'

/** The fields that a context is created from. */
export interface ContextSeed {
  tenant: string | null
  storeId: string | null
  /** The route does not declare that it reads `X-Store-ID`, so the store is only used for records. */
  isStoreUnread?: boolean
  actor: Actor
  origin: Origin
  principal?: Principal | null
  resolved?: Resolved | null
  /** As whom the caller was identified, and by what. */
  identity?: Pick<Identity, 'authenticator' | 'principal'> | null
  list?: ListRequest
  /** Called when `ctx.unawaited` is first asked for. */
  unawaited?: () => AbortSignal
  /** The stores that a request counts for. Default: all of the tenant's. */
  sight?: StoreSight
  /** Collects every right that was checked and held; all checks of the context go through it. */
  grounds?: Grounds
  log?: Ctx['log']
  /** The function that opens its transactions, for error messages. Default `ctx.transaction`. */
  caller?: string
  /** False: its transactions cannot use the system role. Default true. */
  mayCross?: boolean
  /** False: its transactions are limited to its own tenant. Default true. */
  mayEnter?: boolean
  /** An operator acts as somebody else and only looks: whatever its transactions write is refused. */
  isReadOnly?: boolean
  /** Its transactions are no tenant's load: an operator's. */
  isOfNobody?: boolean
  /** Of a request with an `Idempotency-Key`. */
  parts?: Parts
  /** Runs in parallel to each writing transaction of the context's tenant; the commit waits for it. */
  guard?: (ctx: Ctx) => Promise<void>
}

/** The system, outside of any request. */
export const systemActor: Actor = { type: 'system', id: null, label: 'system', impersonatorId: null }
/** Somebody who has not signed in. */
export const anonymousActor: Actor = { type: 'user', id: null, label: 'anonymous', impersonatorId: null }
export const noOrigin: Origin = { requestId: null, ipAddress: null, userAgent: null }

interface OpenTransaction {
  tx: Tx
  role: DatabaseRole
  afterCommit: (() => void)[]
}

const noGrants: Ctx['grants'] = []
const { signal: neverAborted } = new AbortController()
const whole = wholeSight()

/** Makes the context of one request or job, without a transaction; `ctx.transaction` gives one that has it. */
export function createContext(core: Core, seed: ContextSeed): Ctx {
  return new Context(core, seed, null)
}

/** The context of the system in a transaction of a tenant that is open already. */
export function contextIn(core: Core, tx: Tx, tenantId: string): Ctx {
  const seed = {
    tenant: tenantId,
    storeId: null,
    actor: systemActor,
    origin: noOrigin,
    mayCross: false,
    mayEnter: false,
  }
  return new Context(core, seed, { tx, role: 'app', afterCommit: [] })
}

/** For the kernel alone: contexts are made by `createContext`. */
export class Context implements Ctx {
  readonly [CORE]: Core
  readonly tenant: string | null
  readonly recordedStoreId: string | null
  readonly actor: Actor
  readonly origin: Origin
  readonly principal: Principal | null
  readonly #seed: ContextSeed
  readonly #open: OpenTransaction | null

  constructor(core: Core, seed: ContextSeed, open: OpenTransaction | null) {
    this[CORE] = core
    this.tenant = seed.tenant
    this.recordedStoreId = seed.storeId
    this.actor = seed.actor
    this.origin = seed.origin
    this.principal = seed.principal ?? null
    this.#seed = seed
    this.#open = open
  }

  get storeId(): string | null {
    if (this.#seed.isStoreUnread)
      throw new Error('The route does not say that it reads X-Store-ID: give it `storeHeader`')
    return this.recordedStoreId
  }

  get tenantId(): string {
    if (this.tenant === null) throw tenantRequired()
    return this.tenant
  }

  get userId(): string {
    const id = this.principal?.userId
    if (!id) throw unauthenticated()
    return id
  }

  get tx(): Tx {
    if (!this.#open) throw new Error('No transaction is open here: use ctx.transaction')
    return this.#open.tx
  }

  get clock() {
    return this[CORE].clock
  }

  get log() {
    return this.#seed.log ?? this[CORE].log
  }

  get config() {
    return this[CORE].config
  }

  get registry() {
    return this[CORE].registry
  }

  get secrets() {
    return this[CORE].secrets
  }

  get storage() {
    return this[CORE].storage
  }

  get scanner() {
    return this[CORE].scanner
  }

  get storages() {
    return this[CORE].storages
  }

  get outbound() {
    return this[CORE].outbound
  }

  get product() {
    return this[CORE].product
  }

  get list(): ListRequest {
    if (!this.#seed.list) throw new Error('This route is no list: give it ListQuery')
    return this.#seed.list
  }

  get unawaited(): AbortSignal {
    return this.#seed.unawaited?.() ?? neverAborted
  }

  get grants() {
    const { grounds, resolved } = this.#seed
    if (grounds) for (const { roleId, storeId } of resolved?.grants ?? []) note(grounds.roles, roleId, storeId)
    return resolved?.grants ?? noGrants
  }

  get scopes(): readonly string[] | null {
    return this.#seed.resolved?.scopes ?? null
  }

  get superAdmin(): boolean {
    const { grounds, resolved } = this.#seed
    const isSuperAdmin = resolved?.superAdmin ?? false
    if (grounds && isSuperAdmin) grounds.superAdmin = true
    return isSuperAdmin
  }

  emit: Ctx['emit'] = (event, content) => emitEvent(this, event, content)
  enqueue: Ctx['enqueue'] = (job, payload, options) => enqueueJob(this, job, payload, options)
  mail: Ctx['mail'] = (mail, letter) => postMail(this, mail, letter)
  notify: Ctx['notify'] = (kind, notice) => postNotice(this, kind, notice)
  setting: Ctx['setting'] = (setting, id) => readSetting(this, setting, id)

  async proveAgain(): Promise<Ctx> {
    const { identity } = this.#seed
    if (!identity) throw unauthenticated()
    const resolved = await this[CORE].standings.resolve(identity.authenticator, identity.principal)
    return new Context(this[CORE], { ...this.#seed, resolved }, this.#open)
  }

  async transaction<T>(work: (ctx: Ctx) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    if (this.#open) throw new Error('A transaction is already open in this context')
    const { role = 'app', tenantId: tenant = this.tenant } = options
    const { isReadOnly = false } = this.#seed
    const readOnly = isReadOnly || options.readOnly
    if (role === 'system' && this.#seed.mayCross === false)
      throw new Error('This route may not see other tenants: one that must says so with acrossTenants')
    const isOwn = tenant === this.tenant
    if (!isOwn && tenant !== null) this.#requireEntrance()
    // What the system role does in the context of a tenant is done for that tenant.
    const loadOf = this.#seed.isOfNobody || (role === 'system' && !isOwn) ? null : tenant
    const scope = { tenantId: role === 'system' ? null : tenant, role, readOnly, loadOf }
    const { guard } = this.#seed
    const isGuarded = guard && role === 'app' && !readOnly && tenant !== null && isOwn
    let afterCommit: (() => void)[] = []
    const begin = (tx: Tx) => {
      afterCommit = [] // a retried transaction starts afresh
      const seed = isOwn || tenant === null ? { ...this.#seed, tenant } : enter(this.#seed, tenant)
      const ctx = new Context(this[CORE], seed, { tx, role, afterCommit })
      return isGuarded ? besideGuard(guard(ctx), () => work(ctx)) : work(ctx)
    }
    const done = this[CORE].db.transaction(scope, begin, this.#seed.caller ?? 'ctx.transaction')
    const result = await (isReadOnly ? done.catch(refuseWrite) : done)
    for (const follow of afterCommit) this.#follow(follow)
    return result
  }

  async snapshot<T>(work: (ctx: Ctx) => Promise<T>): Promise<T> {
    if (this.#open) throw new Error('A transaction is already open in this context')
    const read = (tx: Tx) => work(new Context(this[CORE], this.#seed, { tx, role: 'app', afterCommit: [] }))
    return this[CORE].db.snapshot(this.tenantId, read)
  }

  /** A failure of later work does not undo the commit. */
  #follow(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.log.error({ err: error }, 'what was to follow a commit failed')
    }
  }

  async forget(what: Forget | null): Promise<void> {
    this.afterCommit(() => this[CORE].standings.forget(what))
    sendUnawaited(this.tx, sql`select pg_notify(${FORGET_CHANNEL}, ${JSON.stringify(what)})`.compile(this.tx))
  }

  afterCommit(work: () => void): void {
    if (!this.#open) throw new Error('No transaction is open here: use ctx.transaction')
    this.#open.afterCommit.push(work)
  }

  can(permission: string, storeId: string | null = null): boolean {
    const { grounds } = this.#seed
    const isHeld = this.#holds(permission, storeId)
    if (grounds && isHeld) note(grounds.permissions, permission, storeId)
    return isHeld
  }

  #holds(permission: string, storeId: string | null): boolean {
    const resolved = this.#seed.resolved
    if (!resolved) return this.actor.type === 'system'
    if (resolved.tenantWide.has(permission)) return true
    return storeId !== null && (resolved.byStore.get(storeId.toLowerCase())?.has(permission) ?? false)
  }

  require(permission: string, storeId: string | null = null): void {
    if (!this.can(permission, storeId)) throw denied(permission, this.scopes)
  }

  storesWith(permission: string): string[] | null {
    if (this.can(permission)) return null
    const byStore = this.#seed.resolved?.byStore ?? new Map<string, ReadonlySet<string>>()
    return [...byStore.keys()].filter((storeId) => this.can(permission, storeId))
  }

  requireOperator(role: PartialOperatorRole): void {
    const { grounds, resolved } = this.#seed
    const isHeld = resolved ? isOperatorWith(resolved.operatorRoles, role) : this.actor.type === 'system'
    if (!isHeld) throw permissionDenied({ detail: `This takes an operator with the role ${role}` })
    if (grounds && !grounds.operatorRoles.includes(role)) grounds.operatorRoles.push(role)
  }

  get stores(): readonly string[] | null {
    return this.sight.stores
  }

  narrow: Ctx['narrow'] = (query) => {
    this.#restOn(this.stores)
    return this.sight.narrow(query)
  }

  requireStore(storeId: string | null): void {
    this.sight.require(storeId)
    this.#restOn(storeId === null || this.stores === null ? null : [storeId])
  }

  /** A kept answer about these stores depends on the caller's rights in them. */
  #restOn(stores: readonly string[] | null): void {
    const { grounds } = this.#seed
    if (grounds && stores) for (const store of stores) note(grounds.permissions, this.sight.permission, store)
  }

  get sight(): StoreSight {
    return this.#seed.sight ?? whole
  }

  use: Ctx['use'] = (resource) => this[CORE].use(resource)

  as(actor: Actor): Ctx {
    // Whoever acts as somebody else stays on record, whoever it is that they act for.
    const impersonatorId = actor.impersonatorId ?? this.actor.impersonatorId
    return new Context(this[CORE], { ...this.#seed, actor: { ...actor, impersonatorId } }, this.#open)
  }

  acting(who: Pick<ContextSeed, 'actor' | 'principal' | 'resolved'>): Ctx {
    return new Context(this[CORE], { ...this.#seed, ...who }, this.#open)
  }

  outside(): Ctx {
    return new Context(this[CORE], { ...this.#seed, tenant: null, storeId: null, sight: undefined }, this.#open)
  }

  inside(tenantId: string): Ctx {
    if (this.#open?.role !== 'system') throw new Error('A tenant is entered in a transaction of the system role')
    if (!isUuid(tenantId)) throw new Error('A tenant id must be a UUID')
    this.#requireEntrance()
    return new Context(this[CORE], enter(this.#seed, tenantId.toLowerCase()), this.#open)
  }

  #requireEntrance(): void {
    if (this.#seed.mayEnter === false)
      throw new Error('This route may not enter other tenants: one that must says so with entersTenants')
  }

  keepingParts(parts: Parts): Ctx {
    return new Context(this[CORE], { ...this.#seed, parts }, this.#open)
  }

  part<T>(name: string, work: (ctx: Ctx) => Promise<T>, options: TransactionOptions): Promise<T> {
    const { parts } = this.#seed
    if (!parts) return this.transaction(work, options)
    return this.transaction(async (ctx) => {
      const done = await parts.find(ctx, name)
      if (done) return done.result as T // what this part gave
      const result = await work(ctx)
      await parts.keep(ctx, name, result)
      return result
    }, options)
  }

  guardedBy(guard: (ctx: Ctx) => Promise<void>): Ctx {
    return new Context(this[CORE], { ...this.#seed, guard }, this.#open)
  }
}

/** What the database calls a write in a transaction that only reads. */
const READ_ONLY = '25006'

function refuseWrite(error: unknown): never {
  if (sqlState(error) !== READ_ONLY) throw error
  throw permissionDenied({ detail: ONLY_READS, cause: error })
}

/** Rights and store of one tenant do not apply in another. */
function enter(seed: ContextSeed, tenant: string): ContextSeed {
  const { resolved } = seed
  const bare = resolved && { ...resolved, grants: noGrants, tenantWide: new Set<string>(), byStore: new Map() }
  return { ...seed, tenant, storeId: null, sight: undefined, resolved: bare }
}

/** An error of the work takes precedence; otherwise the guard is awaited before the commit. */
async function besideGuard<T>(guard: Promise<void>, work: () => Promise<T>): Promise<T> {
  guard.catch(() => {})
  const result = await work()
  await guard
  return result
}
