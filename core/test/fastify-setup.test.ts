import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Closed, defineModule, defineRoute } from '#kernel'
import { createTestCore, type TestCore } from '../src/testing/index.ts'
import { builtinAuthForTests, toy } from './toy-module.ts'

const { token } = builtinAuthForTests
const failing = defineModule({
  name: 'failing',
  routes: [
    defineRoute({
      method: 'GET',
      path: '/failing',
      summary: 'Fail',
      access: 'public',
      response: { 200: Closed({}) },
      handler: () => {
        throw new Error('nobody is to read this')
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/outside',
      summary: 'Fail as a client of something else does',
      access: 'public',
      response: { 200: Closed({}) },
      handler: () => {
        throw Object.assign(new Error('words of another service'), { statusCode: 404 })
      },
    }),
  ],
})

class PluginError extends Error {
  readonly code = 'FST_A_PLUGIN_REFUSES'
  readonly statusCode: number
  constructor(statusCode: number) {
    super('words of a plugin')
    this.statusCode = statusCode
  }
}

/** All that an application may do, and much that it should not. */
async function setUp(app: FastifyInstance): Promise<void> {
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-of-the-application', 'yes')
    if (request.headers['x-refuse']) throw new PluginError(Number(request.headers['x-refuse']))
  })
  const refuseBy = (name: string) => async (request: FastifyRequest) => {
    const statusCode = Number(request.headers[name])
    if (statusCode) throw Object.assign(new Error('words of a plugin'), { statusCode })
  }
  app.addHook('onRequest', refuseBy('x-refuse-plainly'))
  app.addHook('preHandler', refuseBy('x-refuse-late'))
  const meddle = async (_request: unknown, reply: FastifyReply) => {
    reply.headers({ 'x-frame-options': 'SAMEORIGIN', 'cache-control': 'public, max-age=60', 'x-request-id': 'mine' })
    reply.removeHeader('x-content-type-options').header('x-meddled', 'yes')
  }
  app.addHook('onSend', meddle)
  // As compression does: on each route by itself.
  app.addHook('onRoute', (route) => {
    route.onSend = [route.onSend ?? [], meddle].flat()
  })
  app.setErrorHandler((_error, _request, reply) => reply.code(200).send('all is well'))
  app.addContentTypeParser('*', (_request, _payload, done) => done(null, { name: 'from a parser' }))
  app.register(async (scope) => {
    scope.get('/static/*', async (_request, reply) => reply.type('text/plain').send('a file'))
    scope.get('/missing', (_request, reply) => reply.callNotFound())
    scope.get('/teapot', async () => {
      throw Object.assign(new Error('words of a plugin'), { statusCode: 418 })
    })
    scope.get('/broken', async () => {
      throw new Error('secret words')
    })
  })
}

let t: TestCore
before(async () => {
  t = await createTestCore({ modules: [toy, failing], fastify: setUp })
})
after(() => t?.close())

describe('what an application sets up on Fastify', () => {
  it('has hooks on all routes, and routes of its own beside those of the modules', async () => {
    const file = await t.app.inject('/static/style.css')
    assert.deepEqual([file.statusCode, file.body, file.headers['x-of-the-application']], [200, 'a file', 'yes'])
    const { status, headers } = await t.request('GET', '/api/v1/toys', { token: token('a') })
    assert.deepEqual([status, headers['x-of-the-application']], [200, 'yes'])
  })

  it('takes no header away that every answer of a module carries', async () => {
    for (const [path, status] of [
      ['/api/v1/toys', 200],
      ['/api/v1/failing', 500],
    ] as const) {
      const { statusCode, headers } = await t.app.inject({
        url: path,
        headers: { authorization: `Bearer ${token('a')}`, 'x-request-id': 'theirs' },
      })
      assert.equal(statusCode, status)
      assert.partialDeepStrictEqual(headers, {
        'x-frame-options': 'DENY',
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'x-meddled': 'yes',
        'x-request-id': 'theirs',
      })
    }
    assert.equal((await t.app.inject({ url: '/api/v1/toys' })).headers['cache-control'], 'no-store')
  })

  it('changes no error of a module, and its own errors are problems too', async () => {
    const failed = await t.request('GET', '/api/v1/failing')
    assert.deepEqual([failed.status, failed.body.code], [500, 'internal_error'])
    for (const [path, status, code] of [
      ['/broken', 500, 'internal_error'],
      ['/missing', 404, 'not_found'],
    ] as const) {
      const { statusCode, headers, body } = await t.app.inject(path)
      assert.deepEqual([statusCode, JSON.parse(body).code], [status, code])
      assert.match(String(headers['content-type']), /^application\/problem\+json/)
      assert.doesNotMatch(body, /secret words/)
    }
  })

  it('refuses by plugins with the problem of their status', async () => {
    for (const [status, code] of [
      [400, 'invalid_request'],
      [403, 'permission_denied'],
      [404, 'not_found'],
      [429, 'rate_limited'],
      [409, 'conflict'],
      [418, 'request_refused'],
      [422, 'request_refused'],
      [500, 'internal_error'],
      [302, 'internal_error'],
    ] as const) {
      for (const name of ['x-refuse', 'x-refuse-late', 'x-refuse-plainly']) {
        const headers = { authorization: `Bearer ${token('a')}`, [name]: String(status) }
        const { statusCode, body } = await t.app.inject({ url: '/api/v1/toys', headers })
        const expected = code === 'internal_error' ? 500 : status
        assert.deepEqual([statusCode, JSON.parse(body).code, JSON.parse(body).status], [expected, code, expected], name)
        assert.doesNotMatch(body, /words of a plugin/)
      }
    }
    const own = await t.app.inject('/teapot')
    assert.deepEqual([own.statusCode, JSON.parse(own.body).code], [418, 'request_refused'], 'in its own routes too')
  })

  it('does not make a refusal of what an outside service refused to a handler', async () => {
    const { status, body } = await t.request('GET', '/api/v1/outside')
    assert.deepEqual([status, body.code], [500, 'internal_error'])
  })

  it('brings no content type into the routes of modules', async () => {
    const headers = { 'content-type': 'application/xml' }
    const { status } = await t.request('POST', '/api/v1/toys', { token: token('a'), payload: '<a/>', headers })
    assert.equal(status, 415)
  })

  it('cannot take the address of a module, nor say what is not found', async () => {
    const start = (fastify: (app: FastifyInstance) => void) =>
      createTestCore({ modules: [toy], database: t.database, fastify }).then((test) => test.close())
    await assert.rejects(
      start((app) => void app.get('/api/v1/toys', async () => 'mine')),
      /Method 'GET' already declared for route '\/api\/v1\/toys'/,
    )
    await assert.rejects(
      start((app) => void app.setNotFoundHandler(() => 'nothing')),
      /Not found handler already set/,
    )
  })
})
