import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import type { Cases, RouteCase } from '../testing/index.ts'

const shows = (words: string, type: string): RouteCase => ({
  see: ({ text, headers }) => {
    assert.ok(text.includes(words))
    assert.ok(String(headers['content-type']).startsWith(type))
  },
})

const healthy = (fields: object): RouteCase => ({ see: ({ body }) => has(body, { status: 'ok', ...fields }) })

const cases: Cases = {
  tableRows: { events: () => ({ actor_type: 'system', data: '{}' }) },
  routes: {
    'GET /health': healthy({}),
    'GET /health/db': healthy({ migrations: 'current' }),
    'GET /health/ready': healthy({ checks: [{ name: 'database', status: 'ok' }] }),
    'GET /metrics': shows('# TYPE tenantry_', 'text/plain'),
    'GET /api/openapi.json': shows('"openapi":"3.1', 'application/json'),
    'GET /api/openapi.yaml': shows('openapi: 3.1', 'application/yaml'),
    'GET /api/docs': shows('id="swagger-ui"', 'text/html'),
    'GET /api/docs/sign-in.js': shows('two_factor_required', 'text/javascript'),
    'GET /api/docs/start.js': shows('SwaggerUIBundle', 'text/javascript'),
    'GET /api/docs/style.css': shows('.fold', 'text/css'),
    'GET /api/docs/swagger-ui.css': shows('.swagger-ui', 'text/css'),
    'GET /api/docs/swagger-ui-bundle.js': shows('SwaggerUIBundle', 'text/javascript'),
  },
}

export default cases
