import type { FastifyRequest } from 'fastify'
import { type Grounds, requireGrounds } from '../access/grounds.ts'
import type { Ctx } from '../context.ts'
import type { Core } from '../core.ts'
import { keepingParts } from '../derive-context.ts'
import { type AppError, idempotencyKeyReused } from '../errors.ts'
import type { Finished, Prepared } from './finish.ts'
import {
  CLAIM_MS,
  type Claim,
  claimKey,
  isLasting,
  type KeptAnswer,
  type KeyedRequest,
  type SentAnswer,
} from './idempotency.ts'
import type { Input } from './input.ts'
import type { MultipartForm } from './multipart.ts'
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
  const { form } = call.input
  const found = await claimKey(ctx, keyedRequest(call))
  if (!('status' in found)) {
    form?.digestOnRead()
    const claim: Claim<SentAnswer> = {
      ...found,
      keep: (inner, answer) => {
        const digest = form?.digest()
        // Nobody could tell whether another form is the same one.
        if (digest === null) return found.release(inner)
        return found.keep(inner, { ...answer, grounds, ...(digest && { form: digest }) })
      },
    }
    return { answer: await performOnce(call, claim), isReplayed: false }
  }
  requireGrounds(ctx, found.grounds)
  if (form) await requireSameForm(form, found)
  const { plan } = prepared
  // What the first request consumed is consumed; only whether such a request may be made at all is asked.
  if (plan && found.status < 400) await ctx.transaction((inner) => plan(inner, null))
  return { answer: found, isReplayed: true }
}

/** Throws 422 when the form is another one than that which was answered. */
async function requireSameForm(form: MultipartForm, { form: answered }: KeptAnswer): Promise<void> {
  const digest = answered && (await form.readForDigest(answered.bytes))
  if (!digest || digest.sha256 !== answered.sha256) throw idempotencyKeyReused()
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
  const renewing = input.form && renewed(base, claim)
  try {
    const ctx = keepingParts(base, claim.parts)
    return await perform(core, prepared, ctx, input, (ctx, answer) => keepAnswer(claim, ctx, answer))
  } catch (thrown) {
    await noteFailure(base, claim, toAppError(thrown)).catch((error: Error) =>
      base.log.warn(
        { err: error, request_id: base.origin.requestId },
        'an Idempotency-Key stays in use until its claim ends',
      ),
    )
    throw thrown
  } finally {
    clearInterval(renewing)
  }
}

/** Holds the key for as long as a form takes to arrive. */
function renewed(base: Ctx, claim: Claim<SentAnswer>): NodeJS.Timeout {
  const renew = () =>
    base
      .transaction((ctx) => claim.renew(ctx))
      .catch((error: Error) => base.log.warn({ err: error }, 'a claim of an Idempotency-Key could not be renewed'))
  return setInterval(renew, CLAIM_MS / 4).unref()
}

/** An answer that lasts is the answer; anything else may pass, so the key is free again. */
async function noteFailure(base: Ctx, claim: Claim<SentAnswer>, error: AppError): Promise<void> {
  // Whoever is told when to come again is not to hear the same then.
  const mayPass = !isLasting(error.status) || error.details.headers?.['retry-after'] !== undefined
  if (mayPass || error.code === 'idempotency_key_in_use') return base.transaction((ctx) => claim.release(ctx))
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
