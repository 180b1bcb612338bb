import type { FastifyReply, FastifyRequest } from 'fastify'
import { type Grounds, noGrounds, requireGrounds } from '../access/grounds.ts'
import { recordRefusal } from '../access/refusals.ts'
import type { Ctx, ListRequest, Origin } from '../context.ts'
import type { Core } from '../core.ts'
import { anonymousActor, assertNarrowed, createContext } from '../create-context.ts'
import { type AppError, unauthenticated } from '../errors.ts'
import type { RegisteredRoute } from '../registry.ts'
import { authorize, storeContext } from './authorize.ts'
import { bringsCookies } from './declared.ts'
import { type Finished, finished, opened, type Prepared, prepare, send } from './finish.ts'
import {
  type Claim,
  claimKey,
  isLasting,
  type KeyedRequest,
  readIdempotencyKey,
  type SentAnswer,
} from './idempotency.ts'
import type { Identity } from './identify.ts'
import type { Input } from './input.ts'
import { assertOwnPage } from './own-page.ts'
import { askPlan, requireFeatureOf, requirePlanOf, whileWritable } from './plan.ts'
import { problemDocument, toAppError } from './problem.ts'
import { DEFAULT_PAGE } from './schemas.ts'
import { sessionless } from './sessionless.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Set before the body is read. */
    identity: Identity | null
    /** The client's address, as far as it can be trusted. */
    address: string | null
    /** Our handler has begun: what fails from now on is no refusal by a plugin. */
    isHandled: boolean
  }
}

/**
 * Makes the function that answers a route: validate → store → permission → transaction → handler → answer. The
 * credential was looked at before the body was read.
 */
export function createHandler(core: Core, route: RegisteredRoute) {
  const prepared = prepare(core, route)
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    request.isHandled = true
    const input = prepared.readInput(request)
    const { identity } = request
    if (route.access === 'public') return answer(core, prepared, request, reply, input)
    // Set before the body was read, or the request would have ended there.
    if (!identity) throw unauthenticated()
    try {
      return await answer(core, prepared, request, reply, input)
    } catch (thrown) {
      await recordRefusal(core, { route, identity, origin: originOf(request) }, thrown)
      throw thrown
    }
  }
}

/** What is left of a request once its credential and its form are known to be good. */
async function answer(
  core: Core,
  prepared: Prepared,
  request: FastifyRequest,
  reply: FastifyReply,
  input: Input,
): Promise<FastifyReply> {
  const { route } = prepared
  const { identity } = request
  if (route.method !== 'GET' && bringsCookies(route, request)) assertOwnPage(core.config, originOf(request))
  const storeId = identity && route.access !== 'public' ? await readStore(core, identity, request) : null
  const sight = identity ? authorize(route, identity, storeId, input) : undefined
  const key = route.idempotent ? readIdempotencyKey(request.headers['idempotency-key']) : null
  const grounds = noGrounds()
  const base = createContext(core, {
    tenant: route.access === 'public' ? null : (identity?.principal.tenantId ?? null),
    storeId,
    isStoreUnread: !route.storeHeader,
    actor: identity?.resolved.actor ?? anonymousActor,
    origin: originOf(request),
    principal: identity && (route.idempotent ? sessionless(route, identity.principal) : identity.principal),
    resolved: identity?.resolved ?? null,
    sight,
    list: prepared.isList ? listRequest(route, identity, storeId, input) : undefined,
    grounds: key === null ? undefined : grounds,
    mayCross: route.acrossTenants,
    mayEnter: route.access === 'public' || route.entersTenants,
    log: request.log,
  })
  if (key === null) return send(reply, await opened(await perform(core, prepared, base, input, null), request))
  const outcome = await claimOnGrounds(base, keyedRequest(key, request, { input, route, storeId }), grounds)
  if (!('status' in outcome)) return send(reply, await performOnce(core, prepared, base, input, outcome))
  if (outcome.status < 400) await requirePlanOf(core, route, base)
  return send(reply.header('idempotent-replayed', 'true'), outcome)
}

/**
 * The claim of the first request with a key, whose answer is kept together with what it rests on, or the answer of that
 * one: as long as the caller holds what it rested on.
 */
async function claimOnGrounds(
  base: Ctx,
  request: KeyedRequest,
  grounds: Grounds,
): Promise<Claim<SentAnswer> | SentAnswer> {
  const found = await claimKey(base, request)
  if ('status' in found) {
    requireGrounds(base, found.grounds)
    return found
  }
  return { ...found, keep: (ctx, answer) => found.keep(ctx, { ...answer, grounds }) }
}

/** All that the handler gets to see of a request; for bytes it may go by their content type too. */
function keyedRequest(
  key: string,
  request: FastifyRequest,
  { input, route, storeId }: { input: Input; route: RegisteredRoute; storeId: string | null },
): KeyedRequest {
  const { query, raw, headers = {}, cookies = {} } = input
  const body = raw === undefined ? input.body : raw.toString('base64')
  const contentType = raw === undefined ? null : (request.headers['content-type'] ?? null)
  return { key, method: route.method, path: pathOf(request), body, contentType, query, headers, cookies, storeId }
}

async function readStore(core: Core, identity: Identity, { headers }: FastifyRequest): Promise<string | null> {
  const header = headers['x-store-id']
  return typeof header === 'string' ? storeContext(core, identity, header.toLowerCase()) : null
}

function listRequest(
  route: RegisteredRoute,
  identity: Identity | null,
  storeId: string | null,
  { params, query }: Input,
): ListRequest {
  const { limit, cursor, ...filters } = query
  const scope = [
    route.url,
    identity?.principal.tenantId,
    identity?.principal.userId,
    storeId,
    Object.entries(params).sort(),
    Object.entries(filters).sort(),
  ]
  return {
    limit: typeof limit === 'number' ? limit : DEFAULT_PAGE,
    cursor: typeof cursor === 'string' ? cursor : null,
    fingerprint: JSON.stringify(scope),
  }
}

function originOf(request: FastifyRequest): Origin {
  const fetchSite = request.headers['sec-fetch-site']
  return {
    requestId: request.id,
    ipAddress: request.address,
    userAgent: request.headers['user-agent']?.slice(0, 500) ?? null,
    acceptLanguage: request.headers['accept-language']?.slice(0, 500) ?? null,
    page: { origin: request.headers.origin ?? null, fetchSite: fetchSite?.toString() ?? null },
  }
}

/** Runs the handler in its transaction. What the plan forbids, and the answer kept for repetitions, are part of it. */
async function perform(
  core: Core,
  prepared: Prepared,
  base: Ctx,
  input: Input,
  claim: Claim<SentAnswer> | null,
): Promise<Finished> {
  const { route } = prepared
  const run = async (ctx: Ctx) => {
    // The registry erased the types that the schemas above have just checked.
    const result = await route.handler(ctx, input as never)
    assertNarrowed(ctx)
    return finished(prepared, result, input)
  }
  if (route.transaction === 'manual') {
    await requireFeatureOf(core, route, base)
    // The limit is consumed by the operation itself with `consume`, inside the transaction that writes.
    const answer = await run(whileWritable(core, route, base))
    if (claim) await base.transaction((ctx) => settle(claim, ctx, answer))
    return answer
  }
  return base.transaction(
    async (ctx) => {
      const plan = askPlan(core, route, ctx)
      const answer = await run(ctx)
      await plan
      if (route.limit) await core.registry.allowances?.consumed(ctx, route.limit)
      if (claim) await settle(claim, ctx, answer)
      return answer
    },
    route.access === 'superAdmin' ? { role: 'system', tenantId: null } : { readOnly: route.method === 'GET' },
  )
}

/** Does the work for the first request with a key. What fails for the moment gives the key back. */
async function performOnce(
  core: Core,
  prepared: Prepared,
  base: Ctx,
  input: Input,
  claim: Claim<SentAnswer>,
): Promise<Finished> {
  try {
    return await perform(core, prepared, base, input, claim)
  } catch (thrown) {
    await noteFailure(base, claim, toAppError(thrown)).catch((error: Error) =>
      base.log.warn(
        { err: error, request_id: base.origin.requestId },
        'an Idempotency-Key stays in use until its claim ends',
      ),
    )
    throw thrown
  }
}

/** An answer that lasts is the answer; anything else may pass, so the key is free again. */
async function noteFailure(base: Ctx, claim: Claim<SentAnswer>, error: AppError): Promise<void> {
  if (!isLasting(error.status) || error.code === 'idempotency_key_in_use')
    return base.transaction((ctx) => claim.release(ctx))
  const body = JSON.stringify(problemDocument(error, base.origin.requestId ?? '', base.product.problemTypes))
  const kept = { status: error.status, body, headers: error.details.headers ?? {}, problem: true }
  return base.transaction((ctx) => claim.keep(ctx, kept))
}

/** Keeps an answer of the handler's own, unless its status says that it may pass. */
function settle(claim: Claim<SentAnswer>, ctx: Ctx, answer: Finished): Promise<void> {
  return isLasting(answer.status) ? claim.keep(ctx, answer) : claim.release(ctx)
}

function pathOf({ url }: FastifyRequest): string {
  return url.split('?', 1)[0]! // split gives one part at least
}
