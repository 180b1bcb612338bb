import { type Core, type Ctx, defineResource, SECONDS } from '#kernel'
import type { SigningKeyRow } from '../table.ts'
import { isAuthentic } from './authentic-keys.ts'
import { findNewestSigningKey, listSigningKeys } from './key-queries.ts'
import { addSuccessor, openKey, openPrivate, type RingKey, retirementOf } from './signing-keys.ts'

const RELOAD_AFTER_MS = 60 * SECONDS
const RELOAD_FOR_UNKNOWN_MS = 5 * SECONDS

/**
 * The keys that access tokens are signed with, as this process last saw them. Once the first is known nobody waits for
 * the database: what is older than a minute is used while it is read anew beside the work.
 */
export interface KeyRing {
  /** The key to sign with now. */
  signing(): RingKey | Promise<RingKey>
  /** The key of that id; undefined when unknown even after a reload (of which there is at most one every few seconds). */
  find(id: string): RingKey | undefined | Promise<RingKey | undefined>
  /** Every key whose tokens may be alive, or will be. */
  published(): readonly RingKey[] | Promise<readonly RingKey[]>
  reload(): Promise<void>
  close(): void
}

/** The ring of this process. It is read before the core serves; where there is no key yet, the first one is made. */
export const keyRing = defineResource<KeyRing>({
  name: 'auth.key_ring',
  create: openRing,
  prepare: (ring) => ring.reload(),
  close: (ring) => ring.close(),
})

function openRing(core: Core): KeyRing {
  let keys = new Map<string, RingKey>()
  let loadedAt = Number.NEGATIVE_INFINITY
  let loading: Promise<void> | undefined

  const refused = new Set<string>()

  const isMine = (row: SigningKeyRow) => isAuthentic(core, row) && openPrivate(core, row) !== undefined

  /** A row that nobody who knows the secret has written verifies nothing and is shown to nobody. */
  function isTrusted(row: SigningKeyRow): boolean {
    const isGenuine = isAuthentic(core, row)
    if (!isGenuine && !refused.has(row.id))
      core.log.error({ kid: row.id }, 'a signing key is not authenticated by APP_SECRET: it is worth nothing here')
    if (!isGenuine) refused.add(row.id)
    return isGenuine
  }

  /** Of several processes that start together one makes the key. */
  async function makeKey(ctx: Ctx): Promise<void> {
    // Looked up before the keys: one that another process makes from here on is seen below, or has this generation.
    const newest = await findNewestSigningKey(ctx.tx)
    const rows = await listSigningKeys(ctx.tx, ctx.clock.now())
    if (!rows.some(isMine)) await addSuccessor(ctx, newest)
  }

  async function load(): Promise<void> {
    let rows = await readKeys(core)
    // There is none yet, or APP_SECRET was replaced and none can be opened: sign-ins must go on with a new one.
    if (!rows.some(isMine)) {
      await core.run(makeKey, { role: 'system', tenantId: null })
      rows = await readKeys(core)
    }
    // Keys that stay keep their object, and with it the tokens that it has verified already.
    keys = new Map(rows.filter(isTrusted).map((row) => [row.id, kept(keys.get(row.id), row) ?? openKey(core, row)]))
    loadedAt = core.clock.ms()
  }

  const reload = () => {
    loading ??= load().finally(() => {
      loading = undefined
    })
    return loading
  }
  const isOlder = (ms: number) => Math.abs(core.clock.ms() - loadedAt) >= ms
  const reloadBeside = () => void core.db.aside(reload).catch((error: unknown) => warnOfKeys(core, error))
  /** What is known is good enough; who comes before anything is known waits, and holds no connection meanwhile. */
  const withKeys = <T>(read: () => T): T | Promise<T> => {
    if (keys.size === 0) return reload().then(read)
    if (isOlder(RELOAD_AFTER_MS)) reloadBeside()
    return read()
  }
  const timer = setInterval(() => keys.size > 0 && reloadBeside(), RELOAD_AFTER_MS)
  timer.unref()

  function newest(): RingKey {
    const now = core.clock.ms()
    const mine = [...keys.values()].filter((key) => key.canSign)
    // In the order of their generations. The only one may have been made by a clock that is ahead of this one.
    const found = mine.findLast((key) => key.notBefore <= now) ?? mine[0]
    if (!found) throw new Error('There is no key to sign access tokens with')
    return found
  }
  const alive = () => [...keys.values()].filter((key) => key.retireAt > core.clock.ms())

  return {
    reload,
    signing: () => withKeys(newest),
    find(id) {
      const key = keys.get(id)
      if (!key) return isOlder(RELOAD_FOR_UNKNOWN_MS) ? reload().then(() => keys.get(id)) : undefined
      // A process that only verifies must learn of retired keys too.
      if (isOlder(RELOAD_AFTER_MS)) reloadBeside()
      return key.retireAt > core.clock.ms() ? key : undefined
    },
    published: () => withKeys(alive),
    close: () => clearInterval(timer),
  }
}

function readKeys(core: Core): Promise<SigningKeyRow[]> {
  return core.run((ctx) => listSigningKeys(ctx.tx, ctx.clock.now()), { tenantId: null })
}

function kept(key: RingKey | undefined, row: SigningKeyRow): RingKey | undefined {
  return key && { ...key, retireAt: retirementOf(row) }
}

/** Says that the keys could not be read; what is known of them goes on being used. */
export const warnOfKeys = ({ log }: Pick<Core, 'log'>, error: unknown) =>
  log.warn({ err: error }, 'the signing keys could not be read anew')
