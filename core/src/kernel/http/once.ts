import type { FastifyRequest } from 'fastify'
import { type Grounds, requireGrounds } from '../access/grounds.ts'
import type { Ctx } from '../context.ts'
import type { Core } from '../core.ts'
import type { AppError } from '../errors.ts'
import type { Finished, Prepared } from './finish.ts'
import { type Claim, claimKey, isLasting, type KeyedRequest, type SentAnswer } from './idempotency.ts'
import type { Input } from './input.ts'
import { perform } from './perform.ts'
import { problemDocument, toAppError } from './problem.ts'

/** A request with an `Idempotency-Key`. */
interface KeyedCall {
  core: Core
  prepared: Prepared
  request: FastifyRequest
  ctx: Ctx
  input: Input
  storeId: string | null
  key: string
  /** Told by `ctx` what the answer rests on. */
  grounds: Grounds
}

/**
 * The answer of the first request with a key, which does the work and keeps it together with what it rests on; or the kept
 * one again, as long as the caller holds what it rested on and the plan allows such a request.
 */
export async function answerOnce(call: KeyedCall): Promise<{ answer: Finished; isReplayed: boolean }> {
  const { prepared, ctx, grounds } = call
  const found = await claimKey(ctx, keyedRequest(call))
  if (!('status' in found)) {
    const claim = { ...found, keep: (inner: Ctx, answer: SentAnswer) => found.keep(inner, { ...answer, grounds }) }
    return { answer: await performOnce(call, claim), isReplayed: false }
  }
  requireGrounds(ctx, found.grounds)
  const { plan } = prepared
  // What the first request consumed is consumed; only whether such a request may be made at all is asked.
  if (plan && found.status < 400) await ctx.transaction((inner) => plan(inner, null))
  return { answer: found, isReplayed: true }
}

/** All that the handler gets to see of a request; for bytes it may go by their content type too. */
function keyedRequest({ key, request, prepared, input, storeId }: KeyedCall): KeyedRequest {
  const { route } = prepared
  const { query, raw, headers = {}, cookies = {} } = input
  const body = raw === undefined ? input.body : raw.toString('base64')
  const contentType = raw === undefined ? null : (request.headers['content-type'] ?? null)
  return { key, method: route.method, path: pathOf(request), body, contentType, query, headers, cookies, storeId }
}

/** Does the work for the first request with a key. What fails for the moment gives the key back. */
async function performOnce(
  { core, prepared, ctx: base, input }: KeyedCall,
  claim: Claim<SentAnswer>,
): Promise<Finished> {
  try {
    return await perform(core, prepared, base, input, (ctx, answer) => keepAnswer(claim, ctx, answer))
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
function keepAnswer(claim: Claim<SentAnswer>, ctx: Ctx, answer: Finished): Promise<void> {
  return isLasting(answer.status) ? claim.keep(ctx, answer) : claim.release(ctx)
}

function pathOf({ url }: FastifyRequest): string {
  return url.split('?', 1)[0]! // split gives one part at least
}
