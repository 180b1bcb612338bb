import { randomBytes } from 'node:crypto'
import { Webhook } from 'standardwebhooks'
import { type Ctx, fromNow, HOURS, notFound, SECONDS, type SealedKind } from '#kernel'
import { auditSinkSecretRotated } from './events.ts'
import { labelOf, recordSink } from './present.ts'
import { lockSink, updateSink } from './queries.ts'
import type { RotatedSecret } from './schema.ts'
import type { SinkRow } from './table.ts'

const SECRET_BYTES = 32
const OVERLAP_MS = 24 * HOURS

/** A secret as Standard Webhooks writes it, and the same sealed for that sink. */
export function newSecret({ secrets }: Ctx, sinkId: string): { secret: string; sealed: string } {
  const secret = `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`
  return { secret, sealed: secrets.seal(secret, contextOf(sinkId)) }
}

/** Signs with a new secret from now on, and with the one before too for 24 hours. Throws 404. */
export async function rotateSecret(ctx: Ctx, id: string): Promise<RotatedSecret> {
  const before = await lockSink(ctx.tx, ctx.tenantId, id)
  if (!before) throw notFound()
  const { secret, sealed } = newSecret(ctx, id)
  const previous_expires_at = fromNow(ctx.clock, OVERLAP_MS)
  const after = await updateSink(ctx.tx, before, {
    secret: sealed,
    previous_secret: before.secret,
    previous_until: previous_expires_at,
    updated_at: ctx.clock.now(),
  })
  await ctx.emit(auditSinkSecretRotated, {
    before: recordSink(before),
    after: recordSink(after),
    label: labelOf(after),
  })
  return { secret, previous_expires_at }
}

/** A message to a receiver: the same id for the same content, however often it is sent. */
export interface Message {
  id: string
  body: string
}

/**
 * The headers of Standard Webhooks, with a signature for each secret that counts now. Throws SecretsLost when a secret was
 * sealed with an APP_SECRET that is not configured any more.
 */
export function signedHeaders({ secrets, clock }: Ctx, sink: SinkRow, { id, body }: Message): Record<string, string> {
  const ms = clock.ms()
  const sealed = [sink.secret]
  if (sink.previous_secret && sink.previous_until && Date.parse(sink.previous_until) > ms)
    sealed.push(sink.previous_secret)
  const at = new Date(ms)
  const signatures = sealed.map((each) => new Webhook(openSecret(secrets, sink, each)).sign(id, at, body))
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(ms / SECONDS)),
    'webhook-signature': signatures.join(' '),
  }
}

/** What signs cannot be opened; the message is for whoever owns the sink. */
export class SecretsLost extends Error {
  override name = 'SecretsLost'

  constructor() {
    super('The secret cannot be read any more: rotate it')
  }
}

function openSecret(secrets: Ctx['secrets'], { id }: SinkRow, sealed: string): string {
  try {
    return secrets.openText(sealed, contextOf(id))
  } catch {
    throw new SecretsLost()
  }
}

/** What sinks sign with. */
export const sealedSecrets: SealedKind = {
  name: 'secrets of audit sinks',
  async samples({ db }) {
    const ends = ['asc', 'desc'].map((order) => `(select id, secret from audit_sinks order by id ${order} limit 1)`)
    const rows = await db.systemQuery<{ id: string; secret: string }>(ends.join(' union '))
    return rows.map(({ id, secret }) => ({ sealed: secret, context: contextOf(id) }))
  },
}

const contextOf = (sinkId: string) => `audit_sink:${sinkId}`
