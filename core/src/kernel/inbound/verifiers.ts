import { createHmac } from 'node:crypto'
import { MINUTES, SECONDS } from '../clock.ts'
import type { Ctx } from '../context.ts'
import { unavailable } from '../errors.ts'
import { isSigned } from '../outbound/signing.ts'
import { equalSecrets } from '../secrets.ts'
import type { InboundRequest, InboundVerify, Verified } from './source.ts'

type Awaitable<T> = T | Promise<T>

export interface StandardWebhook {
  /**
   * The secrets, each `whsec_` and base64, of which one must fit; none (`[]`) for a sender that is unknown. Null: this
   * installation has none yet, and the sender gets 503 and comes again.
   */
  secret: (ctx: Ctx, request: InboundRequest) => Awaitable<string | readonly string[] | null>
  /** Whose the message is; asked once the signature fits. Default: nobody's. */
  tenantOf?: (ctx: Ctx, request: InboundRequest) => Awaitable<Verified['tenantId'] | 'ignore'>
}

/**
 * A verifier for senders that follow Standard Webhooks: `webhook-id`, `webhook-timestamp`, at most five minutes away, and
 * `webhook-signature`.
 */
export function standardWebhook({ secret, tenantOf = () => null }: StandardWebhook): InboundVerify {
  return async (ctx, request) => {
    const { headers, body } = request
    const [id, timestamp, signature] = [
      headers['webhook-id'],
      headers['webhook-timestamp'],
      headers['webhook-signature'],
    ]
    // With a dot in it, what is signed could be read in two ways.
    if (!id || id.includes('.') || !timestamp || !signature) return null
    const secrets = await secret(ctx, request)
    if (secrets === null) throw unavailable({ detail: 'This installation takes no such webhooks' })
    if (!isSigned({ id, timestamp, signature, body }, [secrets].flat(), ctx.clock.ms())) return null
    const tenantId = await tenantOf(ctx, request)
    return tenantId === 'ignore' ? tenantId : { id, tenantId }
  }
}

const TOLERANCE_MS = 5 * MINUTES

/**
 * Whether a header of the form `t=<seconds>,v1=<hex>` (several `v1` while secrets change, as Stripe sends it) signs the body
 * by HMAC-SHA-256 of one of the secrets, within five minutes of `ms` (since the Unix epoch).
 */
export function isTimeSigned(
  { header, body }: { header: string | undefined; body: Uint8Array },
  secrets: readonly string[],
  ms: number,
): boolean {
  const parts = (header ?? '').split(',').map((part) => part.trim())
  const valuesOf = (name: string) =>
    parts.filter((part) => part.startsWith(name)).map((part) => part.slice(name.length))
  const [timestamp = ''] = valuesOf('t=')
  if (!/^\d{1,12}$/.test(timestamp) || Math.abs(ms - Number(timestamp) * SECONDS) > TOLERANCE_MS) return false
  const given = valuesOf('v1=')
  return secrets.some((secret) => {
    const made = createHmac('sha256', secret).update(`${timestamp}.`).update(body).digest('hex')
    return given.filter((each) => equalSecrets(each, made)).length > 0
  })
}
