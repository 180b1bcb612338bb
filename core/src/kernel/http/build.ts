import type { IncomingMessage } from 'node:http'
import fastify, { type FastifyInstance, type FastifyRequest, LogController, type onSendHookHandler } from 'fastify'
import { isImpersonated } from '../access/impersonation.ts'
import type { Core } from '../core.ts'
import { sqlState } from '../db/errors.ts'
import { AppError, invalidRequest, methodNotAllowed, notFound, unsupportedMediaType } from '../errors.ts'
import { newId } from '../ids.ts'
import { countAnswer } from '../load/answers.ts'
import { createLimiter, type RouteLimiter } from '../rates/limiter.ts'
import type { RegisteredRoute } from '../registry.ts'
import { createAddressReader } from './address.ts'
import { acceptBodies, bodyLimitOf, bodyScopeOf, bodyTypesOf, isStreamed, MAX_BODY_LIMIT } from './body.ts'
import { leaveBody, watchBody } from './body-stream.ts'
import { type Cors, createCors } from './cors.ts'
import { drainConnections } from './drain.ts'
import { createHandler, refuseImpersonated } from './handle.ts'
import { isEncoded, problemOfHost, standingHeaders } from './headers.ts'
import { identify, identifyIfPossible } from './identify.ts'
import { recordThenSend } from './impersonated-answers.ts'
import { createMethodTable, isSafe, type MethodTable } from './methods.ts'
import { refusalOf, sendProblem } from './problem.ts'
import { type Port, requireThisMachine, standsOn } from './reach.ts'
import { createRefusals } from './refusals.ts'

const SANE_REQUEST_ID = /^[\w.:+/=@-]{1,128}$/

/** What an application does with Fastify before it is ready: plugins, hooks and routes of its own. */
export type FastifySetup = (app: FastifyInstance) => Promise<unknown> | unknown

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Set for routes of the registry, and only for them. */
    route?: RegisteredRoute
  }
}

/** Builds the HTTP server of a core: the routes of the port and what they share. */
export async function buildApp(core: Core, port: Port = 'public', setUp?: FastifySetup): Promise<FastifyInstance> {
  const routes = core.registry.routes.filter(({ reach }) => standsOn(port, reach, core.config))
  const methods = createMethodTable(routes)
  const cors = port === 'public' ? createCors(core.registry, methods, core.config.http.corsOrigins) : undefined
  const standing = standingHeaders(core.config)
  const standingFor = (raw: IncomingMessage) => ({ ...standing, ...cors?.headersFor(raw) })
  const refuse = createRefusals(standingFor, requestIdOf, core.product)
  const app = fastify({
    loggerInstance: core.log,
    // One line per request is logged below; a logger per request would cost more than that.
    logController: new LogController({ disableRequestLogging: true }),
    childLoggerFactory: (logger) => logger,
    bodyLimit: MAX_BODY_LIMIT,
    requestIdHeader: false,
    genReqId: requestIdOf,
    // Checked below, where the refusal has the form of all others.
    http: { requireHostHeader: false },
    routerOptions: { maxParamLength: 500 },
    // Bodies are watched below, since one that is read while it arrives may take hours; headers have a minute of Node's.
    requestTimeout: 0,
    // Requests that arrive while stopping are answered; their connections are then closed.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    frameworkErrors: (error, request, reply) =>
      void sendProblem(request, reply.headers(standingFor(request.raw)).header('x-request-id', request.id), error),
    clientErrorHandler: refuse.connection,
  })
  refuse.expectationsOf(app.server)
  app.decorate('problemTypes', core.product.problemTypes)
  app.decorateRequest('identity', null)
  app.decorateRequest('address', null)
  app.decorateRequest('rates', null)
  app.decorateRequest('limitedAccount', null)
  app.decorateRequest('maybeUnstorable', false)
  app.decorateRequest('isHandled', false)
  app.decorateRequest('isCounted', false)
  drainConnections(app, core)
  const nothingFor = ({ url }: FastifyRequest) => nothingThere(methods.allowed(url))
  app.setNotFoundHandler((request, reply) => sendProblem(request, reply, nothingFor(request)))
  addHooks(app, core, { standing, cors, nothingFor })
  await setUp?.(app)
  // Set last, so that no plugin replaces the error handler.
  app.setErrorHandler(async (error, request, reply) => {
    await leaveBody(request, reply)
    return sendProblem(request, reply, problemOf(error, request))
  })
  const limiterOf = createLimiter(core)
  for (const group of Map.groupBy(routes, bodyScopeOf).values())
    app.register(async (scope) => {
      acceptBodies(scope, group[0]!) // a group has one at least
      if (setUp) holdStanding(scope, standing)
      for (const route of group)
        addRoute(scope, core, { route, methods, nothingFor, refuse, limiter: limiterOf(route) })
    })
  await app.ready()
  return app
}

interface Common {
  standing: Readonly<Record<string, string>>
  cors: Cors | undefined
  nothingFor: (request: FastifyRequest) => AppError
}

/** Hooks of every request, also of routes of plugins. */
function addHooks(app: FastifyInstance, core: Core, { standing, cors, nothingFor }: Common): void {
  const readAddress = createAddressReader(core.config.http.trustedProxies)
  app.addHook('onRequest', (request, reply, done) => {
    const { route } = request.routeOptions.config
    reply.headers({ ...standing, ...route?.standing }).header('x-request-id', request.id)
    if (cors) reply.headers(cors.headersFor(request.raw, route))
    request.address = readAddress(request.socket.remoteAddress, request.headers['x-forwarded-for'])
    const wrongHost = problemOfHost(request.raw.httpVersion, request.raw.rawHeaders)
    const preflight = request.is404 || route?.method === 'OPTIONS' ? cors?.preflight(request.raw) : null
    if (wrongHost !== null) sendProblem(request, reply, invalidRequest({ detail: wrongHost }))
    else if (preflight) reply.code(204).headers(preflight).send()
    // Before reading the body: a request to an unknown path is 404 even if the rest of it is malformed.
    else if (request.is404) sendProblem(request, reply, nothingFor(request))
    else done()
  })
  app.addHook('onSend', (request, reply, payload, done) => {
    const { identity } = request
    if (!identity || !isImpersonated(identity)) return done(null, payload)
    recordThenSend(core, { request, reply, payload, identity, standing }).then((sent) => done(null, sent), done)
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
    countAnswer(core.load, request, reply)
    tellAnswered(core, request, reply.statusCode)
    done()
  })
}

/** The answer is on its way: what goes wrong here changes nothing about it. */
function tellAnswered(core: Core, request: FastifyRequest, status: number): void {
  const { identity, address, limitedAccount, log } = request
  const answered = { principal: identity?.principal ?? null, status, address, limitedAccount }
  for (const hear of core.registry.answerListeners) {
    try {
      hear(core, answered)
    } catch (error) {
      log.error({ err: error }, 'what hears of answers failed')
    }
  }
}

/** Sets the headers of all answers again at the end, in case a plugin changed them. */
function holdStanding(scope: FastifyInstance, standing: Readonly<Record<string, string>>): void {
  const { 'cache-control': noStore, ...fixed } = standing
  const hold: onSendHookHandler = (request, reply, payload, done) => {
    reply.headers(fixed).header('x-request-id', request.id)
    if (request.routeOptions.config.route?.access !== 'public') reply.header('cache-control', noStore)
    done(null, payload)
  }
  // This hook runs after those that plugins add to the route, and of these the last one added runs last.
  scope.addHook('onRoute', (route) => {
    route.onSend = [route.onSend ?? [], hold].flat()
  })
}

interface Place {
  route: RegisteredRoute
  methods: MethodTable
  nothingFor: Common['nothingFor']
  limiter: RouteLimiter
  refuse: ReturnType<typeof createRefusals>
}

/** How long a body may take; how long one that is read while it arrives may stand still. */
const BODY_MS = 60_000

function addRoute(scope: FastifyInstance, core: Core, { route, methods, nothingFor, limiter, refuse }: Place): void {
  const coversOthers = methods.coversOthers(route)
  const isSteady = isStreamed(route)
  scope.route({
    method: route.method,
    url: route.url,
    bodyLimit: bodyLimitOf(route),
    config: { route },
    // The caller is identified before the body is read.
    onRequest: async (request, reply) => {
      if (route.reach === 'machine') requireThisMachine(request.raw, core.config.http.publicUrl)
      if (coversOthers && methods.isOthers(route, request.url)) throw nothingFor(request)
      request.identity =
        route.access === 'public'
          ? await identifyIfPossible(core, request)
          : await identify(core, request).catch(async (error) => {
              // Guesses are bounded; who proves who they are goes on from the same address.
              if (isRefused(error)) await limiter.countUnproven(request, reply)
              throw error
            })
      const counting = limiter.count(request, reply)
      if (counting) await counting
      if (request.identity && isImpersonated(request.identity)) await refuseImpersonated(core, route, request)
      if (isSafe(route.method)) return
      watchBody(request.raw, { ms: BODY_MS, isSteady, late: () => refuse.late(request.raw.socket) })
      if (isEncoded(request.headers)) throw encoded()
    },
    handler: createHandler(core, route, limiter),
  })
}

/** Whether a credential was refused, and not merely could not be looked at. */
const isRefused = (error: unknown) => error instanceof AppError && error.status < 500

/** Errors of the framework without a route, and of plugins before a route's handler. */
function problemOf(error: unknown, { routeOptions, isHandled }: FastifyRequest): unknown {
  const { route } = routeOptions.config
  const code = sqlState(error)
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE')
    return route ? unsupportedMediaType({ detail: wantedOf(route) }) : error
  // Codes of the framework are mapped with all other errors.
  return isHandled || code?.startsWith('FST_') ? error : (refusalOf(error) ?? error)
}

function wantedOf(route: RegisteredRoute): string {
  if (route.raw === true) return 'Content-Type is not one: send a type such as application/octet-stream, or none'
  return `Send ${bodyTypesOf(route).join(' or ')}`
}

/** The given request id if it is well-formed, else a new one. */
function requestIdOf({ headers }: IncomingMessage): string {
  const given = headers['x-request-id']
  return typeof given === 'string' && SANE_REQUEST_ID.test(given) ? given : newId()
}

/** 405 when the path has other methods, else 404. */
function nothingThere(allow: string | null): AppError {
  if (allow === null) return notFound({ detail: 'No route answers this' })
  return methodNotAllowed({ detail: `This path knows ${allow}`, headers: { allow } })
}

const encoded = () =>
  unsupportedMediaType({ detail: 'Send the body as it is, uncompressed', headers: { 'accept-encoding': 'identity' } })
