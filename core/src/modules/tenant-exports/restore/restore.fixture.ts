import { createContext, noOrigin, systemActor } from '../../../kernel/create-context.ts'
import type { TestCore } from '../../../testing/index.ts'
import { type Restored, restoreTenant } from './restore-tenant.ts'
import type { RestoreOptions } from './steps.ts'

const silent = { begins: () => {}, passed: () => {}, note: () => {} }
const DEFAULTS = { tables: null, replaces: false, isDry: false, progress: silent }

/** Brings rows back, as the command does. */
export function restore(
  t: TestCore,
  path: string,
  options: Partial<RestoreOptions> & { tenant: string },
): Promise<Restored> {
  const ctx = createContext(t.core, { tenant: null, storeId: null, actor: systemActor, origin: noOrigin })
  const stopping = new AbortController().signal
  return t.core.db.aside(() => restoreTenant(ctx, { path, ...DEFAULTS, stopping, ...options }))
}

/** What is in every table of one tenant, or of all but one: how many rows, and a hash of them. */
export async function hashesOf(t: TestCore, which: { only: string } | { but: string }): Promise<Map<string, string>> {
  const tables = await t.core.db.systemQuery<{ name: string; key: string }>(
    `select name, coalesce(tenant_key, 'tenant_id') as key from tenantry.tables
     where kind = 'tenant' or name in ('tenant_slugs', 'user_tenants', 'api_key_hashes') order by name`,
  )
  const hashes = new Map<string, string>()
  for (const { name, key } of tables) {
    const [tenantId, sign] = 'only' in which ? [which.only, '='] : [which.but, '<>']
    const [row] = await t.core.db.systemQuery<{ hash: string }>(
      `select count(*) || ' ' || coalesce(md5(string_agg(md5(r::text), '' order by md5(r::text))), '') as hash from ${name} r where ${key} ${sign} $1`,
      [tenantId],
    )
    hashes.set(name, row?.hash ?? '')
  }
  return hashes
}
