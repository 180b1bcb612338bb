import { conflict, defineRoute, Page, planLimitReached, type Route } from '#kernel'
import { importKeys } from './life/import.ts'
import { revokeLeaked } from './life/leaked.ts'
import { rotateKey } from './life/rotate.ts'
import { changeKey, createKey, pageKeys, revokeKey } from './operations.ts'
import { presentKey } from './present.ts'
import { getKey } from './queries.ts'
import {
  ApiKey,
  ApiKeyParams,
  ApiKeyPatch,
  ApiKeyQuery,
  ApiKeyWithSecret,
  ImportedKeys,
  KeyImport,
  LeakAnswer,
  NewApiKey,
  Rotation,
  Usage,
  UsageQuery,
} from './schema.ts'
import { checkSpan, readUsage } from './usage/usage.ts'

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
      'What is added to it, scopes or stores, you hold yourself there; all of its scopes, to let it be used from more networks or for longer. An expired key lives again with a later end.',
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
    impersonation: 'refused',
    // Whoever pays no more must still be able to end a key that was stolen.
    whileInactive: true,
    params: ApiKeyParams,
    response: { 204: null },
    handler: (ctx, { params }) => revokeKey(ctx, params.id),
  }),
  defineRoute({
    method: 'POST',
    path: '/api-keys/:id/rotate',
    summary: 'Replace an API key',
    description:
      'Answers with a new key of the same settings, which takes the place of the present one in the plan; the present one ends after `overlap_hours`. You hold all of its scopes yourself. The key is shown in this answer only; so no `Idempotency-Key` is taken.',
    access: { permission: 'api_key.update' },
    callers,
    params: ApiKeyParams,
    body: Rotation,
    response: { 201: ApiKeyWithSecret },
    errors: [conflict],
    location: ({ id }) => `/api/v1/api-keys/${id}`,
    handler: (ctx, { params, body }) => rotateKey(ctx, params.id, body),
  }),
  defineRoute({
    method: 'GET',
    path: '/api-keys/:id/usage',
    name: 'getApiKeyUsage',
    summary: 'See how much an API key is used',
    description: 'By the day (UTC), at most 400 days at a time. Kept for 400 days.',
    access: { permission: 'api_key.view' },
    params: ApiKeyParams,
    query: UsageQuery,
    checkQuery: checkSpan,
    response: { 200: Usage },
    handler: (ctx, { params, query }) => readUsage(ctx, params.id, query),
  }),
  defineRoute({
    method: 'POST',
    path: '/api-keys/import',
    name: 'importApiKeys',
    summary: 'Take over API keys of another system',
    description:
      'By their SHA-256, so that customers go on with the keys that they have; up to 100 at a time, all or none. A hash is taken once, whoever has it (409). It cannot be undone but by revoking.',
    access: { permission: 'api_key.create' },
    callers,
    body: KeyImport,
    response: { 201: ImportedKeys },
    errors: [conflict, planLimitReached],
    location: () => '/api/v1/api-keys',
    handler: (ctx, { body }) => importKeys(ctx, body.keys),
  }),
  defineRoute({
    method: 'POST',
    path: '/api-keys/leaked',
    name: 'reportLeakedApiKeys',
    summary: 'Report API keys that were found in public',
    description:
      'In the form of secret scanners: a JSON list of up to 100 `{token, type, url, source}`. A whole key that is reported is revoked, and the owners are told; whoever has one could do worse with it. Each token is answered by its hash with `true_positive` or `false_positive`.',
    access: 'public',
    transaction: 'manual',
    raw: ['application/json'],
    response: { 200: LeakAnswer },
    handler: (ctx, { raw }) => revokeLeaked(ctx, raw),
  }),
]
