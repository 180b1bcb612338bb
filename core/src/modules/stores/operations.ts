import { isDeepStrictEqual } from 'node:util'
import { type Ctx, conflict, onUnique, page, stamp } from '#kernel'
import { codesFor } from './codes.ts'
import { lockDefault, moveDefault, requireStillDefault } from './default-store.ts'
import { takenFields } from './errors.ts'
import { storeCreated, storeDeleted, storeUpdated } from './events.ts'
import {
  deleteStore,
  getStore,
  insertStore,
  insertStoreUnlessTaken,
  listStores,
  lockStore,
  type StoreFilter,
  updateStore,
} from './queries.ts'
import type { Address, NewStore, Store, StorePatch } from './schema.ts'
import type { StoreRow } from './table.ts'

/** An address of which nothing is known. */
const NO_ADDRESS: Address = {
  line1: null,
  line2: null,
  city: null,
  region: null,
  postal_code: null,
  country: null,
}

/** The stores that the caller may see, newest first. */
export function pageStores(ctx: Ctx, filter: StoreFilter) {
  return page(ctx, listStores(ctx.tx, ctx.tenantId, filter))
}

/** Opens a store. Without a code, one is made from the name. Throws 409 `name_taken`, or `conflict` for an inactive default. */
export async function openStore(ctx: Ctx, input: NewStore): Promise<Store> {
  const { name, code, address, ...rest } = input
  const fresh = {
    ...stamp(ctx),
    status: 'active' as const, // the word is the type
    is_default: false,
    phone: null,
    email: null,
    timezone: null,
    ...rest,
    name: name.trim(),
    address: address ? { ...NO_ADDRESS, ...address } : null,
  }
  if (fresh.is_default) {
    await lockDefault(ctx)
    await moveDefault(ctx, fresh.status)
  }
  const store = await insertWithCode(ctx, fresh, code)
  await ctx.emit(storeCreated, { after: store, storeId: store.id })
  return store
}

/** Changes a store; absent fields stay, null clears. Throws 404, 409 `name_taken` or `conflict` (the rules of the default). */
export async function changeStore(ctx: Ctx, id: string, patch: StorePatch): Promise<Store> {
  if (patch.is_default) await lockDefault(ctx)
  const before = await lockStore(ctx.tx, ctx.tenantId, id)
  const after = applied(before, patch)
  if (isDeepStrictEqual(before, after)) return before
  if (before.is_default) requireStillDefault(after)
  else if (after.is_default) await moveDefault(ctx, after.status)

  const saved = await onUnique(updateStore(ctx.tx, { ...after, updated_at: ctx.clock.now() }), takenFields)
  await ctx.emit(storeUpdated, { before, after: saved, storeId: id })
  if (after.status !== before.status) await ctx.forget({ tenantId: ctx.tenantId })
  return saved
}

/** Deletes a store and all that refers to it. Throws 404, or 409 `conflict` for the default one. */
export async function removeStore(ctx: Ctx, id: string): Promise<undefined> {
  const store = await deleteStore(ctx.tx, ctx.tenantId, id)
  if (!store) {
    await getStore(ctx.tx, ctx.tenantId, id)
    throw conflict({ detail: 'The default store stays; make another one the default first' })
  }
  await ctx.emit(storeDeleted, { before: store, storeId: id })
  await ctx.forget({ tenantId: ctx.tenantId })
}

/** Inserts with the given code, or with the first free one made from the name. */
async function insertWithCode(ctx: Ctx, store: Omit<StoreRow, 'code'>, given: string | undefined): Promise<StoreRow> {
  if (given !== undefined) {
    const row = { ...store, code: given.toUpperCase() }
    await onUnique(insertStore(ctx.tx, row), takenFields)
    return row
  }
  for (const code of codesFor(store.name)) {
    const row = await onUnique(insertStoreUnlessTaken(ctx.tx, { ...store, code }), takenFields)
    if (row) return row
  }
  throw takenFields.stores_code_key()
}

function applied(before: StoreRow, { name, code, address, ...rest }: StorePatch): StoreRow {
  return {
    ...before,
    ...rest,
    name: name?.trim() ?? before.name,
    code: code?.toUpperCase() ?? before.code,
    address: address ? { ...NO_ADDRESS, ...before.address, ...address } : address === null ? null : before.address,
  }
}
