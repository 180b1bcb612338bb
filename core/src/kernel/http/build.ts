import type { IncomingMessage } from 'node:http'
import fastify, { type FastifyInstance, type FastifyRequest, LogController } from 'fastify'
import type { Core } from '../core.ts'
import { type AppError, invalidRequest, methodNotAllowed, notFound, unsupportedMediaType } from '../errors.ts'
import { newId } from '../ids.ts'
import { createAddressReader } from './address.ts'
import { acceptJson, bodyLimitOf, MAX_BODY_LIMIT } from './body.ts'
import { drainConnections } from './draining.ts'
import { createHandler } from './handle.ts'
import { isEncoded, problemOfHost, standingHeaders } from './headers.ts'
import { identify, identifyIfPossible } from './identify.ts'
import { createMethodTable } from './methods.ts'
import { sendProblem } from './problem.ts'
import { type Port, requireThisMachine, standsOn } from './reach.ts'
import { createRefusals } from './refusing.ts'

const SANE_REQUEST_ID = /^[\w.:+/=@-]{1,128}$/

/** Builds the HTTP side of a core: every route of the registry that stands on the port, and what they have in common. */
export async function buildApp(core: Core, port: Port = 'public'): Promise<FastifyInstance> {
  const routes = core.registry.routes.filter(({ reach }) => standsOn(port, reach, core.config))
  const standing = standingHeaders(core.config)
  const refuse = createRefusals(standing, requestIdOf, core.product)
  const app = fastify({
    loggerInstance: core.log,
    // One line per request is written below; a logger per request would cost more than the line.
    logController: new LogController({ disableRequestLogging: true }),
    childLoggerFactory: (logger) => logger,
    bodyLimit: MAX_BODY_LIMIT,
    requestIdHeader: false,
    genReqId: requestIdOf,
    // Asked for below, where the refusal is an answer like every other.
    http: { requireHostHeader: false },
    routerOptions: { maxParamLength: 500 },
    requestTimeout: 60_000,
    // Whatever still reaches this process while it stops is answered; the connection ends with the answer.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    frameworkErrors: (error, request, reply) =>
      void sendProblem(request, reply.headers(standing).header('x-request-id', request.id), error),
    clientErrorHandler: refuse.connection,
  })
  refuse.expectationsOf(app.server)
  const methods = createMethodTable(routes)
  const readAddress = createAddressReader(core.config.http.trustedProxies)
  app.decorate('problemTypes', core.product.problemTypes)
  app.decorateRequest('identity', null)
  app.decorateRequest('address', null)
  acceptJson(app)
  drainConnections(app, core)
  app.setErrorHandler((error, request, reply) => sendProblem(request, reply, error))
  const nothingFor = ({ url }: FastifyRequest) => nothingThere(methods.allowed(url))
  app.setNotFoundHandler((request, reply) => sendProblem(request, reply, nothingFor(request)))
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(standing).header('x-request-id', request.id)
    request.address = readAddress(request.socket.remoteAddress, request.headers['x-forwarded-for'])
    const wrongHost = problemOfHost(request.raw.httpVersion, request.raw.rawHeaders)
    if (wrongHost !== null) sendProblem(request, reply, invalidRequest({ detail: wrongHost }))
    // Before the body is looked at: what no route answers is not there, however broken the rest of the request is.
    else if (request.is404) sendProblem(request, reply, nothingFor(request))
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
  for (const route of routes) {
    const coversOthers = methods.coversOthers(route)
    app.route({
      method: route.method,
      url: route.url,
      bodyLimit: bodyLimitOf(route),
      config: { produces: typeof route.produces === 'string' ? route.produces : undefined },
      // Who is calling is known before a byte of the body is read.
      onRequest: async (request) => {
        if (route.reach === 'machine') requireThisMachine(request.raw, core.config.http.publicUrl)
        if (coversOthers && methods.isOthers(route, request.url)) throw nothingFor(request)
        request.identity =
          route.access === 'public' ? await identifyIfPossible(core, request) : await identify(core, request)
        if (route.method !== 'GET' && isEncoded(request.headers)) throw encoded()
      },
      handler: createHandler(core, route),
    })
  }
  await app.ready()
  return app
}

/** A sane id that came along, or a new one. */
function requestIdOf({ headers }: IncomingMessage): string {
  const given = headers['x-request-id']
  return typeof given === 'string' && SANE_REQUEST_ID.test(given) ? given : newId()
}

/** The path is there under other methods, or not at all. */
function nothingThere(allow: string | null): AppError {
  if (allow === null) return notFound({ detail: 'No route answers this' })
  return methodNotAllowed({ detail: `This path knows ${allow}`, headers: { allow } })
}

const encoded = () =>
  unsupportedMediaType({ detail: 'Send the body as it is, uncompressed', headers: { 'accept-encoding': 'identity' } })
