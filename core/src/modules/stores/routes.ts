import { conflict, defineRoute, Page, type Route } from '#kernel'
import { nameTaken } from './errors.ts'
import { changeStore, openStore, pageStores, removeStore } from './operations.ts'
import { getSettings, getStore } from './queries.ts'
import { NewStore, Store, StoreParams, StorePatch, StoreQuery, StoreSettings, StoreSettingsPatch } from './schema.ts'
import { changeSettings, presentStoreSettings } from './settings.ts'

export const storeRoutes: readonly Route[] = [
  defineRoute({
    method: 'GET',
    path: '/stores',
    summary: 'List stores',
    description: 'Newest first. Who holds no role in the whole tenant sees the stores that they hold one in.',
    access: { permission: 'store.view', store: { rows: 'stores.id' } },
    query: StoreQuery,
    response: { 200: Page(Store) },
    handler: (ctx, { query }) => pageStores(ctx, query),
  }),
  defineRoute({
    method: 'POST',
    path: '/stores',
    summary: 'Open a store',
    access: { permission: 'store.create' },
    limit: 'stores',
    body: NewStore,
    response: { 201: Store },
    errors: [nameTaken, conflict],
    handler: (ctx, { body }) => openStore(ctx, body),
  }),
  defineRoute({
    method: 'GET',
    path: '/stores/:id',
    summary: 'Get a store',
    access: { permission: 'store.view', store: 'id' },
    params: StoreParams,
    response: { 200: Store },
    handler: (ctx, { params }) => getStore(ctx.tx, ctx.tenantId, params.id),
  }),
  defineRoute({
    method: 'PUT',
    path: '/stores/:id',
    summary: 'Change a store',
    description: 'Making it the default one takes the permission for the whole tenant.',
    access: { permission: 'store.update', store: 'id' },
    params: StoreParams,
    body: StorePatch,
    response: { 200: Store },
    errors: [nameTaken, conflict],
    handler: (ctx, { params, body }) => changeStore(ctx, params.id, body),
  }),
  defineRoute({
    method: 'DELETE',
    path: '/stores/:id',
    summary: 'Delete a store',
    description: 'With all that belongs to it. The default store stays.',
    access: { permission: 'store.delete' },
    params: StoreParams,
    response: { 204: null },
    errors: [conflict],
    handler: (ctx, { params }) => removeStore(ctx, params.id),
  }),
  defineRoute({
    method: 'GET',
    path: '/stores/:id/settings',
    summary: "Get a store's settings",
    access: { permission: 'store_settings.view', store: 'id' },
    settings: 'store',
    params: StoreParams,
    response: { 200: StoreSettings },
    handler: async (ctx, { params }) => presentStoreSettings(ctx, await getSettings(ctx.tx, ctx.tenantId, params.id)),
  }),
  defineRoute({
    method: 'PUT',
    path: '/stores/:id/settings',
    summary: "Change a store's settings",
    description: '`opening_hours` is merged day by day, `extra` is replaced whole.',
    access: { permission: 'store_settings.update', store: 'id' },
    settings: 'store',
    params: StoreParams,
    body: StoreSettingsPatch,
    response: { 200: StoreSettings },
    handler: (ctx, { params, body }) => changeSettings(ctx, params.id, body),
  }),
]
