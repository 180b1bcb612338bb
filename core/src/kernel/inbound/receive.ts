import Type, { type Static } from 'typebox'
import type { Ctx } from '../context.ts'
import { systemActor } from '../create-context.ts'
import { AppError, invalidRequest, unavailable } from '../errors.ts'
import { sha256 } from '../hash.ts'
import { pascalCase } from '../http/openapi-schemas.ts'
import type { Envelope } from '../http/route-input.ts'
import { Closed } from '../http/schemas.ts'
import { isStorable } from '../http/validate.ts'
import { isUuid } from '../ids.ts'
import type { DefaultRateLimit } from '../rates/define.ts'
import { defineRoute, type Route } from '../route.ts'
import { signatureInvalid } from './errors.ts'
import { findInboundMessage, insertInboundMessage } from './queries.ts'
import type { InboundRequest, InboundSource, InboundSpec, Verified } from './source.ts'
import { pack } from './work.ts'

const KiB = 1024
const USUAL_LIMIT = 256 * KiB
const LONGEST_ID = 255

const yes = (description: string) => Type.Unsafe<true>({ type: 'boolean', const: true, description })
const Received = Closed(
  {
    received: yes('It is stored, and need not be sent again'),
    duplicate: Type.Optional(yes('It was stored before, under the same id')),
  },
  { title: 'InboundReceived' },
)
type Received = Static<typeof Received>

type Source = Omit<InboundSource, 'route'>

/** What takes the messages of a source in. */
export function routeOf(source: Source, spec: InboundSpec): Route {
  const route = defineRoute({
    method: 'POST',
    path: `/inbound/${source.name}`,
    name: `receive${pascalCase(source.name)}Webhook`,
    summary: `Take a webhook of ${source.name}`,
    description: `${spec.description} For the sender alone, which proves itself by what it sends. Answered once the message is stored; it is worked later, and once, however often it comes under the same id.`,
    access: 'public',
    rateLimit: 'inbound' satisfies DefaultRateLimit,
    transaction: 'manual', // whose it is turns out by its content
    acrossTenants: true, // that may stand in any tenant's rows
    raw: spec.contentTypes ?? ['application/json'],
    bodyLimit: spec.bodyLimit ?? USUAL_LIMIT,
    response: { 200: Received },
    errors: [signatureInvalid, unavailable, ...(spec.errors ?? [])],
    handler: (ctx, input) => receive(ctx, source, requestOf(input as typeof input & Enveloped)), // as `envelope` says
  })
  return Object.freeze({ ...route, envelope: true })
}

interface Enveloped {
  raw: Buffer
  envelope: Envelope
}

const requestOf = ({ raw, envelope: { headers, url } }: Enveloped): InboundRequest => ({
  headers,
  url,
  query: new URLSearchParams(url.includes('?') ? url.slice(url.indexOf('?')) : ''),
  body: raw,
})

/**
 * Verifies a message, and stores it together with the job that works it. Throws 401 `signature_invalid`; 503 for what could
 * not be verified; 400 for an id that cannot be stored.
 */
async function receive(ctx: Ctx, source: Source, request: InboundRequest): Promise<Received> {
  const verified = await verify(ctx, source, request)
  if (verified === 'ignore') {
    ctx.log.warn({ source: source.name }, 'a webhook is authentic, but nobody’s here, and was ignored')
    return { received: true }
  }
  const { isNew, isSame } = await store(ctx, source, request, verified)
  if (isNew) return { received: true }
  if (!isSame)
    ctx.log.warn(
      { source: source.name, message_id: verified.id, tenant_id: verified.tenantId },
      'a webhook came again with another body, and only the first is worked',
    )
  return { received: true, duplicate: true }
}

async function verify(ctx: Ctx, source: Source, request: InboundRequest): Promise<Verified | 'ignore'> {
  try {
    const verified = await source.verify(ctx, request)
    // Also what a verifier in plain JavaScript forgets to return.
    if (!verified) throw signatureInvalid()
    return verified === 'ignore' ? verified : checked(verified)
  } catch (error) {
    if (error instanceof AppError) throw error
    // Logged with its cause where it is answered.
    throw unavailable({ cause: error })
  }
}

/** What a sender chose is its fault; what only the verifier can have got wrong is ours, and the sender comes again. */
function checked({ id, tenantId }: Verified): Verified {
  if (typeof id !== 'string' || id === '') throw new TypeError('The verifier gave no id of the message')
  if (tenantId !== null && !isUuid(tenantId)) throw new TypeError('The verifier gave a tenant that is no UUID')
  if (id.length > LONGEST_ID || !isStorable(id))
    throw invalidRequest({
      detail: `The id of the message is longer than ${LONGEST_ID} characters, or cannot be stored`,
    })
  return { id, tenantId: tenantId === null ? null : tenantId.toLowerCase() }
}

interface Stored {
  isNew: boolean
  isSame: boolean
}

/** The row and the job are one commit, so that what was answered is worked, and nothing is worked twice. */
function store(
  ctx: Ctx,
  source: Source,
  { headers, body }: InboundRequest,
  { id, tenantId }: Verified,
): Promise<Stored> {
  const received_at = ctx.clock.now()
  const row = { source: source.name, message_id: id, received_at, body_hash: sha256(body) }
  const kept = source.headers.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]]))
  const message = { id, receivedAt: received_at, headers: Object.fromEntries(kept), body }
  return ctx.transaction(
    async (inner) => {
      if (await insertInboundMessage(inner.tx, tenantId, row)) {
        // Nobody has signed in: records of what follows name the sender.
        await inner.as({ ...systemActor, label: source.name }).enqueue(source.job, pack(message))
        return { isNew: true, isSame: true }
      }
      const first = await findInboundMessage(inner.tx, tenantId, row)
      return { isNew: false, isSame: first === undefined || first.body_hash.equals(row.body_hash) }
    },
    { tenantId },
  )
}
