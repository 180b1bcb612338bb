import Type from 'typebox'
import { impersonatedRequest } from './access/impersonated-requests.ts'
import { accessDenied } from './access/refusals.ts'
import { SECONDS } from './clock.ts'
import type { Core } from './core.ts'
import { createHealth } from './health.ts'
import { Answer } from './http/answer.ts'
import { docsRoutes } from './http/docs.ts'
import { sealedAnswers } from './http/idempotency.ts'
import { openapiDocument } from './http/openapi.ts'
import { Closed, OneOf } from './http/schemas.ts'
import { StaticText } from './http/static-text.ts'
import { checkSchedules } from './jobs/overdue.ts'
import { createMetrics } from './metrics.ts'
import { defineModule, defineResource, defineRoute, type HealthCheck } from './module.ts'
import { REQUESTS_PER_MINUTE } from './rates/define.ts'

const health = defineResource({ name: 'kernel.health', create: createHealth })
const metrics = defineResource({ name: 'kernel.metrics', create: createMetrics })
const texts = defineResource({ name: 'kernel.document_texts', create: createTexts })

/** Routes for monitoring: without credential and transaction, outside of `/api/v1`. */
const probe = { method: 'GET', root: true, reach: 'probe', access: 'public', transaction: 'manual' } as const // words, as a route wants them
const ok = Type.Unsafe<'ok'>({ type: 'string', const: 'ok', description: 'All is well; anything else is 503' })

const alive = defineRoute({
  ...probe,
  path: '/health',
  summary: 'Is the process alive',
  response: { 200: Closed({ status: ok }) },
  handler: () => ({ status: 'ok' as const }),
})

const database = defineRoute({
  ...probe,
  path: '/health/db',
  name: 'getDatabaseHealth',
  summary: 'Is the database reachable and its schema current',
  response: {
    200: Closed({
      status: ok,
      milliseconds: Type.Number({ description: 'How long one round trip to the database took', examples: [1.25] }),
      migrations: Type.Unsafe<'current'>({
        type: 'string',
        const: 'current',
        description: 'The schema is that of this version',
      }),
    }),
  },
  handler: (ctx) => ctx.use(health).checkDatabase(),
})

const ready = defineRoute({
  ...probe,
  path: '/health/ready',
  name: 'getReadiness',
  summary: 'Can the process do its work',
  description:
    'The database, what the modules need, and the worker where one was started. 503 names what is missing in `checks`.',
  response: {
    200: Closed({
      status: ok,
      checks: Type.Array(
        Closed({
          name: Type.String({ description: 'What was looked at', examples: ['database'] }),
          status: OneOf(['ok', 'failed'], { description: 'Whether it is as it has to be' }),
        }),
        { description: 'All that was looked at' },
      ),
    }),
  },
  handler: (ctx) => ctx.use(health).checkReady(),
})

const measurements = defineRoute({
  ...probe,
  reach: 'metrics',
  path: '/metrics',
  summary: 'Metrics in the Prometheus text format',
  produces: 'text/plain; version=0.0.4; charset=utf-8',
  response: { 200: Type.String({ examples: ['# TYPE tenantry_jobs_waiting gauge\ntenantry_jobs_waiting 0\n'] }) },
  handler: (ctx) => ctx.use(metrics).render(),
})

const documentAsJson = defineRoute({
  ...probe,
  reach: 'documents',
  path: '/api/openapi.json',
  name: 'getApiDocument',
  summary: 'This document',
  produces: 'application/json; charset=utf-8',
  // Sent as text that is already JSON.
  response: {
    200: Type.Unsafe<StaticText>({ type: 'object', examples: [{ openapi: '3.1.1', info: {}, paths: {} }] }),
    304: null,
  },
  handler: (ctx) => new Answer(200, ctx.use(texts).json(), REVALIDATED),
})

const documentAsYaml = defineRoute({
  ...probe,
  reach: 'documents',
  path: '/api/openapi.yaml',
  name: 'getApiDocumentAsYaml',
  summary: 'This document as YAML',
  produces: 'application/yaml; charset=utf-8',
  response: { 200: Type.Unsafe<StaticText>({ type: 'string', examples: ['openapi: 3.1.1\n'] }), 304: null },
  handler: async (ctx) => new Answer(200, await ctx.use(texts).yaml(), REVALIDATED),
})

/** Asked for each time, and sent only where it has changed since. */
const REVALIDATED = { 'cache-control': 'no-cache' }

/** The document as text, made when first asked for. */
function createTexts(core: Core) {
  let json: StaticText | undefined
  let yaml: Promise<StaticText> | undefined
  return {
    json: () => {
      json ??= new StaticText(JSON.stringify(openapiDocument(core)))
      return json
    },
    yaml: () => {
      yaml ??= import('yaml').then(
        ({ stringify }) => new StaticText(stringify(openapiDocument(core), { aliasDuplicateObjects: false })),
      )
      return yaml
    },
  }
}

const ECHO_MS = 5 * SECONDS

/** Not part of readiness: without notifications every request asks the database, and everything works. */
const notificationsCheck: HealthCheck = {
  name: 'notifications',
  ready: false,
  async check({ standings }) {
    if (await standings.test(ECHO_MS)) return 'Notifications come back.'
    throw new Error(
      'A notification that was sent did not come back, so nothing can be remembered and every request asks the database. Set DATABASE_LISTEN_URL to a direct connection to the same database, past any transaction pooler.',
    )
  },
}

/** Not part of readiness: without the shared counts every process limits for itself, and everything works. */
const ratesCheck: HealthCheck = { name: 'rate limits', ready: false, check: ({ rates }) => rates.check() }

/** Not part of readiness: without it uploads wait until it is back, and everything else works. */
const scannerCheck: HealthCheck = {
  name: 'scanner',
  ready: false,
  check: async ({ scanner }) => scanner?.check() ?? 'Uploads are not scanned: CLAMAV_URL is not set.',
}

/**
 * Not part of readiness: all processes have the same storage, so that taking them out would turn an outage of it into one
 * of everything; and a look at it writes and reads.
 */
const storageCheck: HealthCheck = {
  name: 'file storage',
  ready: false,
  check: async ({ storages }) => (await Promise.all(storages.all.map((storage) => storage.check()))).join(' '),
}

/** What every core answers beside its modules' routes; `createCore` puts it before them. */
export const kernelModule = defineModule({
  name: 'kernel',
  description: 'The server itself: whether it is well, and this document.',
  limits: { [REQUESTS_PER_MINUTE]: { title: 'Requests per minute', per: 'minute' } },
  events: [accessDenied, impersonatedRequest],
  resources: [health, metrics, texts],
  sealed: [sealedAnswers],
  checks: [
    notificationsCheck,
    ratesCheck,
    storageCheck,
    { name: 'schedules', ready: false, check: checkSchedules },
    scannerCheck,
  ],
  routes: [alive, database, ready, measurements, documentAsJson, documentAsYaml, ...docsRoutes],
  cases: () => import('./kernel.cases.ts'),
})
