import { conflict, defineRoute, Page, planLimitReached, type Route } from '#kernel'
import { changeKey, createKey, pageKeys, revokeKey } from './operations.ts'
import { presentKey } from './present.ts'
import { getKey } from './queries.ts'
import { ApiKey, ApiKeyParams, ApiKeyPatch, ApiKeyQuery, ApiKeyWithSecret, NewApiKey } from './schema.ts'

// A stolen key must not be able to make its successor.
const callers = 'people'

export const keyRoutes: readonly Route[] = [
  defineRoute({
    method: 'GET',
    path: '/api-keys',
    summary: 'List API keys',
    description: 'Newest first, those that have ended included.',
    access: { permission: 'api_key.view' },
    query: ApiKeyQuery,
    response: { 200: Page(ApiKey) },
    handler: (ctx, { query }) => pageKeys(ctx, query),
  }),
  defineRoute({
    method: 'POST',
    path: '/api-keys',
    summary: 'Make an API key',
    description:
      'Its scopes are permissions that you hold yourself, in the whole tenant or in each of its stores. The key is shown in this answer only; so no `Idempotency-Key` is taken.',
    access: { permission: 'api_key.create' },
    callers,
    limit: 'api_keys',
    body: NewApiKey,
    response: { 201: ApiKeyWithSecret },
    handler: (ctx, { body }) => createKey(ctx, body),
  }),
  defineRoute({
    method: 'GET',
    path: '/api-keys/:id',
    summary: 'Get an API key',
    description: 'Also one that has ended.',
    access: { permission: 'api_key.view' },
    params: ApiKeyParams,
    response: { 200: ApiKey },
    handler: async (ctx, { params }) => presentKey(await getKey(ctx.tx, ctx.tenantId, params.id)),
  }),
  defineRoute({
    method: 'PUT',
    path: '/api-keys/:id',
    summary: 'Change an API key',
    description:
      'What is added to it, scopes or stores, you hold yourself there. An expired key lives again with a later end.',
    access: { permission: 'api_key.update' },
    callers,
    params: ApiKeyParams,
    body: ApiKeyPatch,
    response: { 200: ApiKey },
    errors: [conflict, planLimitReached],
    handler: (ctx, { params, body }) => changeKey(ctx, params.id, body),
  }),
  defineRoute({
    method: 'DELETE',
    path: '/api-keys/:id',
    summary: 'Revoke an API key',
    description: 'Effective at its next request. It stays readable.',
    access: { permission: 'api_key.delete' },
    // Whoever pays no more must still be able to end a key that was stolen.
    whileInactive: true,
    params: ApiKeyParams,
    response: { 204: null },
    handler: (ctx, { params }) => revokeKey(ctx, params.id),
  }),
]
