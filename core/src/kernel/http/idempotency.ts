import { createHmac } from 'node:crypto'
import type { Grounds } from '../access/grounds.ts'
import { HOURS, MINUTES } from '../clock.ts'
import type { Ctx } from '../context.ts'
import { type FieldProblem, idempotencyKeyInUse, idempotencyKeyReused, invalidRequest } from '../errors.ts'
import { hashedId, newId } from '../ids.ts'
import type { SealedKind } from '../module.ts'
import { equalSecrets, type SecretBox, SecretBoxError } from '../secrets.ts'
import { type KeyRow, keysOf, sealContext } from './idempotency-rows.ts'
import type { FormDigest } from './multipart.ts'
import { keptParts, type Parts } from './parts.ts'

/** An answer as it is sent. */
export interface SentAnswer {
  status: number
  /** The serialised body, null for none. */
  body: string | null
  headers: Record<string, string>
  problem: boolean
}

/** An answer kept for a repeated request, and the rights that it rested on. */
export interface KeptAnswer extends SentAnswer {
  grounds: Grounds
  /** Of the form that it answered, whose body was not known when the key was claimed. */
  form?: FormDigest
}

/** The claim of the first request with a key, which does the work. */
export interface Claim<A = KeptAnswer> {
  /** Keeps the answer; in a transaction it is kept exactly if that commits. */
  keep(ctx: Ctx, answer: A): Promise<void>
  /** Goes on to hold the key, for work that takes longer than a claim does. */
  renew(ctx: Ctx): Promise<void>
  /** Releases the key after a temporary failure, unless a commit of unknown outcome has stored an answer. */
  release(ctx: Ctx): Promise<void>
  /** What is kept of single parts of the work. */
  readonly parts: Parts
}

/**
 * Statuses of temporary failures: credential, plan, permission, size, too many attempts. Such an answer is not kept,
 * and the key is free for the same request.
 */
const PASSING = new Set([401, 402, 403, 413, 429])

/** Whether an answer of this status is the answer to every repetition. */
export const isLasting = (status: number): boolean => status < 500 && !PASSING.has(status)

/** How long a request may run before another with its key takes over, because its process died. */
export const CLAIM_MS = 2 * MINUTES
const KEPT_MS = 24 * HOURS

/** The key that a request carries: bare or as a quoted string; null when there is none. */
export function readIdempotencyKey(header: string | string[] | undefined): string | null {
  if (header === undefined) return null
  const errors = problemsOfKey(header)
  if (errors.length > 0) throw invalidRequest({ errors })
  return bareKey(header)
}

/** Problems with a given key, for the same answer as other problems of the request. */
export function problemsOfKey(header: string | string[] | undefined): FieldProblem[] {
  if (header === undefined || /^[\x20-\x7e]{1,255}$/.test(bareKey(header))) return []
  return [{ pointer: 'headers/idempotency-key', detail: 'must be 1 to 255 printable ASCII characters' }]
}

function bareKey(header: string | string[]): string {
  const value = typeof header === 'string' ? header : header.join(',')
  return /^"(.*)"$/.exec(value)?.[1] ?? value
}

/** The key's scope is the tenant, the actor, method and path; the rest is what a repetition must have in common. */
export interface KeyedRequest {
  key: string
  method: string
  path: string
  query: unknown
  storeId: string | null
  body: unknown
  /** Of a body that is taken as it is; null for every other. */
  contentType: string | null
  /** Those that the route declares. */
  headers: Readonly<Record<string, unknown>>
  cookies: Readonly<Record<string, unknown>>
}

/**
 * Claims a key for this request, or finds the answer of the first. The claim commits before the work begins, so that
 * requests running at the same time see it; the answer is kept in the transaction of the work itself.
 */
export async function claimKey(ctx: Ctx, request: KeyedRequest): Promise<Claim | KeptAnswer> {
  const { actor, tenant } = ctx
  // Whoever acts as somebody else has keys of their own.
  const who = [actor.type, [actor.id ?? '', actor.impersonatorId ?? []].flat().join('/')]
  const id = hashedId([tenant ?? '', ...who, request.method, request.path, request.key].join('\0'))
  const prints = fingerprintsOf(ctx.secrets, request)
  const claim = newId()
  const rows = keysOf(tenant)
  const outcome = await ctx.transaction(async (inner) => {
    const nowMs = ctx.clock.ms()
    const now = new Date(nowMs).toISOString()
    const row = {
      id,
      created_at: now,
      request_hash: prints[0],
      claim,
      claimed_until: new Date(nowMs + CLAIM_MS).toISOString(),
      status: null,
      answer: null,
    }
    if (await rows.insert(inner, row)) return 'claimed'
    const found = await rows.lock(inner, id)
    if (!found) throw idempotencyKeyInUse()
    const expired = Date.parse(found.created_at) + KEPT_MS < nowMs
    if (!expired) {
      const answer = readAnswer(ctx.secrets, found, prints)
      if (answer !== null) return answer
      if (found.claimed_until !== null && found.claimed_until > now)
        throw idempotencyKeyInUse({ headers: { 'retry-after': '1' } })
    }
    await rows.update(inner, id, found.claim, row)
    return 'claimed'
  })
  if (outcome !== 'claimed') return asAnswered(JSON.parse(outcome) as KeptAnswer, ctx.origin.requestId) // sealed by keep below
  return {
    async keep(inner, answer) {
      const sealed = ctx.secrets.seal(JSON.stringify(answer), sealContext(id))
      const kept = await rows.update(inner, id, claim, { status: answer.status, answer: sealed, claimed_until: null })
      if (!kept) throw idempotencyKeyInUse({ detail: 'The request took so long that another one took over' })
    },
    async renew(inner) {
      await rows.update(inner, id, claim, { claimed_until: new Date(ctx.clock.ms() + CLAIM_MS).toISOString() })
    },
    release: (inner) => rows.release(inner, id, claim),
    parts: keptParts(ctx, { id, prints, rows, keptMs: KEPT_MS }),
  }
}

/** A problem contains the id of the request that it answers, which is this one. */
function asAnswered(answer: KeptAnswer, requestId: string | null): KeptAnswer {
  if (!answer.problem || answer.body === null || requestId === null) return answer
  return { ...answer, body: JSON.stringify({ ...JSON.parse(answer.body), request_id: requestId }) }
}

/**
 * The kept answer, or null when none can be read: one encrypted with a secret that is no longer configured counts as
 * expired. Throws 422 when the key was used for another request.
 */
function readAnswer(secrets: SecretBox, { id, request_hash, answer }: KeyRow, prints: readonly string[]) {
  const [secret] = request_hash.split('.')
  // With an unknown secret the fingerprint cannot be compared, nor the answer decrypted.
  if (!prints.some((print) => print.startsWith(`${secret}.`))) return null
  if (!prints.some((print) => equalSecrets(print, request_hash))) throw idempotencyKeyReused()
  if (answer === null) return null
  try {
    return secrets.openText(answer, sealContext(id))
  } catch (error) {
    if (error instanceof SecretBoxError) return null
    throw error
  }
}

/**
 * `<which secret>.<keyed hash>` of a request, under each of the secrets, the current one first. Keyed, since a body may
 * hold a password, which a bare hash would let anybody who reads the row find by guessing.
 */
function fingerprintsOf(secrets: SecretBox, request: KeyedRequest): [string, ...string[]] {
  const { body, contentType, query, storeId } = request
  // Sorted, because a browser may change the order of cookies.
  const [headers, cookies] = [request.headers, request.cookies].map((named) => Object.entries(named).sort())
  const content = JSON.stringify([body ?? null, query, storeId, contentType, headers, cookies])
  const [current, ...earlier] = secrets.deriveAll('idempotency_key').map((key) => {
    const hash = (text: string) => createHmac('sha256', key).update(text).digest('base64url')
    return `${hash('secret').slice(0, 8)}.${hash(`request:${content}`)}`
  })
  return [current!, ...earlier] // a box has one secret at least
}

/** The newest and oldest kept answers, inside and outside of tenants. */
export const sealedAnswers: SealedKind = {
  name: 'kept answers',
  async samples({ db }) {
    const ends = ['idempotency_keys', 'global_idempotency_keys'].flatMap((table) =>
      ['asc', 'desc'].map(
        (order) => `(select id, answer from ${table} where answer is not null order by created_at ${order} limit 1)`,
      ),
    )
    const rows = await db.systemQuery<{ id: string; answer: string }>(ends.join(' union '))
    return rows.map(({ id, answer }) => ({ sealed: answer, context: sealContext(id) }))
  },
}
