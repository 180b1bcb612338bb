import type { Socket } from 'node:net'
import fastify, { type ConnectionError, type FastifyInstance, LogController } from 'fastify'
import type { Core } from '../core.ts'
import { invalidRequest, notFound } from '../errors.ts'
import { newId } from '../ids.ts'
import { createAddressReader } from './address.ts'
import { acceptJson, bodyLimitOf, MAX_BODY_LIMIT } from './body.ts'
import { drainConnections } from './draining.ts'
import { createHandler } from './handle.ts'
import { identify, identifyIfPossible } from './identify.ts'
import { PROBLEM_TYPE, problemDocument, sendProblem } from './problem.ts'
import { type Port, requireThisMachine, standsOn } from './reach.ts'

const SANE_REQUEST_ID = /^[\w.:+/=@-]{1,128}$/

/** Builds the HTTP side of a core: every route of the registry that stands on the port, and what they have in common. */
export async function buildApp(core: Core, port: Port = 'public'): Promise<FastifyInstance> {
  const app = fastify({
    loggerInstance: core.log,
    // One line per request is written below; a logger per request would cost more than the line.
    logController: new LogController({ disableRequestLogging: true }),
    childLoggerFactory: (logger) => logger,
    bodyLimit: MAX_BODY_LIMIT,
    requestIdHeader: false,
    genReqId: ({ headers }) => {
      const given = headers['x-request-id']
      return typeof given === 'string' && SANE_REQUEST_ID.test(given) ? given : newId()
    },
    routerOptions: { maxParamLength: 500 },
    requestTimeout: 60_000,
    // Whatever still reaches this process while it stops is answered; the connection ends with the answer.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    frameworkErrors: (error, request, reply) =>
      void sendProblem(request, reply.header('x-request-id', request.id), error),
    clientErrorHandler: refuseConnection,
  })
  const readAddress = createAddressReader(core.config.http.trustedProxies)
  app.decorateRequest('identity', null)
  app.decorateRequest('address', null)
  acceptJson(app)
  drainConnections(app, core)
  app.setErrorHandler((error, request, reply) => sendProblem(request, reply, error))
  app.setNotFoundHandler((request, reply) => sendProblem(request, reply, nothingThere()))
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id)
    request.address = readAddress(request.socket.remoteAddress, request.headers['x-forwarded-for'])
    // Before the body is looked at: what no route answers is not there, however broken the rest of the request is.
    if (request.is404) sendProblem(request, reply, nothingThere())
    else done()
  })
  app.addHook('onResponse', (request, reply, done) => {
    request.log.debug(
      {
        request_id: request.id,
        method: request.method,
        route: request.routeOptions.url,
        status: reply.statusCode,
        ms: reply.elapsedTime,
      },
      'answered',
    )
    core.requestDone?.(request.routeOptions.url ?? 'none', request.method, reply.statusCode, reply.elapsedTime)
    done()
  })
  for (const route of core.registry.routes.filter(({ reach }) => standsOn(port, reach, core.config))) {
    app.route({
      method: route.method,
      url: route.url,
      bodyLimit: bodyLimitOf(route),
      config: { produces: typeof route.produces === 'string' ? route.produces : undefined },
      // Who is calling is known before a byte of the body is read.
      onRequest: async (request) => {
        if (route.reach === 'machine') requireThisMachine(request.raw, core.config.http.publicUrl)
        request.identity =
          route.access === 'public' ? await identifyIfPossible(core, request) : await identify(core, request)
      },
      handler: createHandler(core, route),
    })
  }
  await app.ready()
  return app
}

const nothingThere = () => notFound({ detail: 'No route answers this' })

/** What is not even HTTP, or has headers beyond every measure: there is no request yet that Fastify could answer. */
function refuseConnection(error: ConnectionError, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const status = error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request'
  const id = newId()
  const problem = problemDocument(invalidRequest({ detail: 'This is not a request that can be read' }), id)
  const body = JSON.stringify({ ...problem, status: Number.parseInt(status, 10) })
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: ${PROBLEM_TYPE}\r\nx-request-id: ${id}\r\nconnection: close\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
}
