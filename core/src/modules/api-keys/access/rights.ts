import {
  type Core,
  type Ctx,
  type Grant,
  type GrantSource,
  type Principal,
  type Resolved,
  resolveGrants,
  type Tx,
} from '#kernel'
import { findActiveStores, findRights, type RightsRow } from '../queries.ts'
import type { ApiKeyRow, HeldRight } from '../table.ts'

/** Not the name of any role: `owner` as one would make a key an owner. */
const ROLE = 'API key'

/** What limits a key, apart from what its maker may. */
export type Limits = Pick<ApiKeyRow, 'scopes' | 'store_ids'>

/** Tells whether a permission is held in a store, or for the whole tenant (null). */
export type Holds = (permission: string, storeId: string | null) => boolean

/**
 * What a key may do: its scopes, as far as its maker may do that now in the same place, or once they have left, as far as
 * they could when they left. Only in stores that are active, where it is limited to some.
 */
export const keyGrants: GrantSource = async (tx, principal, core) => {
  const { tenantId, apiKeyId } = principal
  if (tenantId === null || apiKeyId === undefined) return []
  const key = await findRights(tx, tenantId, apiKeyId)
  if (!key) return []
  const rights = rightsOf(core, key, await heldBehind(core, tx, key))
  const active = key.store_ids && new Set(await findActiveStores(tx, tenantId, key.store_ids))
  return rights
    .filter(({ store_id }) => store_id === null || active?.has(store_id))
    .map(({ store_id, permissions }): Grant => ({ permissions, storeId: store_id, roleId: apiKeyId, role: ROLE }))
}

/** What a key holds at most in each of its places, whether or not its stores are active. */
export function rightsOf({ registry }: Pick<Core, 'registry'>, key: Limits, holds: Holds): HeldRight[] {
  return placesOf(key).map((store_id) => ({
    store_id,
    permissions: key.scopes.filter((code) => {
      const permission = registry.permissions.get(code)
      if (permission === undefined || (store_id !== null && permission.scope !== 'store')) return false
      return holds(code, store_id)
    }),
  }))
}

/** Null: the whole tenant. */
export const placesOf = ({ store_ids }: Pick<Limits, 'store_ids'>): readonly (string | null)[] => store_ids ?? [null]

async function heldBehind(core: Core, tx: Tx, key: RightsRow): Promise<Holds> {
  if (key.frozen_rights) return holdsFrozen(key.frozen_rights)
  return holdsOf(await resolveGrants(core, tx, personIn(key.tenant_id, key.created_by)))
}

export function holdsFrozen(frozen: readonly HeldRight[]): Holds {
  return (permission, storeId) =>
    frozen.some(
      ({ store_id, permissions }) => (store_id === null || store_id === storeId) && permissions.includes(permission),
    )
}

const holdsOf =
  ({ tenantWide, byStore }: Resolved): Holds =>
  (permission, storeId) =>
    tenantWide.has(permission) || (storeId !== null && (byStore.get(storeId)?.has(permission) ?? false))

/** The rights of whom `ctx` acts for. */
export const holdsIn =
  (ctx: Ctx): Holds =>
  (permission, storeId) =>
    ctx.can(permission, storeId)

function personIn(tenantId: string, userId: string): Principal {
  const actor = { type: 'user' as const, id: userId, label: '', impersonatorId: null }
  return { key: '', tenantId, userId, sessionId: null, actor }
}
