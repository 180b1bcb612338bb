import { type Core, defineResource, invalidApiKey, MINUTES, type Principal } from '#kernel'
import { findHash } from '../queries.ts'
import { hashOf, type KeyForm } from './format.ts'

interface Entry {
  principal: Principal
  form: KeyForm
  until: number
}

const MOST_KEPT = 20_000
const KEPT_MS = 10 * MINUTES

/**
 * Whose the keys are that were used lately, by their hashes. What the directory says of a hash does not change; whether the
 * key is still good is asked elsewhere, each time.
 */
export const knownKeys = defineResource<Map<string, Entry>>({ name: 'api_keys.known', create: () => new Map() })

/**
 * Whose a well-formed key is. Throws 401 `invalid_api_key` for one that nobody has. A key that looks like ours is never
 * taken for an imported one, nor the other way round: who imports a hash gets nothing of a key that we made.
 */
export function findPrincipal(core: Core, credential: string, form: KeyForm): Principal | Promise<Principal> {
  const hash = hashOf(credential)
  const name = hash.toString('base64')
  const known = core.use(knownKeys).get(name)
  if (known && isFresh(core, known)) return of(known, form)
  return look(core, hash).then((entry) => {
    remember(core.use(knownKeys), name, entry)
    return of(entry, form)
  })
}

function of(entry: Entry, form: KeyForm): Principal {
  if (entry.form !== form) throw invalidApiKey()
  return entry.principal
}

/** Never longer than the maximum from now, whatever a clock that was ahead has noted. */
function isFresh({ clock }: Core, { until }: Entry): boolean {
  const leftMs = until - clock.ms()
  return leftMs > 0 && leftMs <= KEPT_MS
}

async function look(core: Core, hash: Buffer): Promise<Entry> {
  const scope = { tenantId: null, role: 'app', readOnly: true } as const // a literal of TransactionScope
  const row = await core.db.transaction(scope, (tx) => findHash(tx, hash))
  if (!row) throw invalidApiKey()
  const { tenant_id, api_key_id, created_by, is_imported } = row
  const principal: Principal = {
    key: `api_key:${api_key_id}`,
    tenantId: tenant_id,
    userId: null,
    sessionId: null,
    apiKeyId: api_key_id,
    createdBy: created_by,
    actor: { type: 'api_key', id: api_key_id, label: '', impersonatorId: null },
  }
  return { principal, form: is_imported ? 'foreign' : 'ours', until: core.clock.ms() + KEPT_MS }
}

function remember(known: Map<string, Entry>, name: string, entry: Entry): void {
  if (known.size >= MOST_KEPT && !known.has(name)) known.delete(known.keys().next().value ?? '')
  known.set(name, entry)
}
