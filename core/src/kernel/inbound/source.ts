import type { Ctx } from '../context.ts'
import type { ErrorKind } from '../errors.ts'
import type { Job } from '../jobs/define.ts'
import type { Route } from '../route.ts'

/** A message as it arrived. Nothing in it is checked. */
export interface InboundRequest {
  /** All of them, by their names in lower case; one that was sent more than once is joined by commas. */
  readonly headers: Readonly<Record<string, string>>
  /** Path and query as they were called, for senders that sign them: `/api/v1/inbound/bank?account=7`. */
  readonly url: string
  readonly query: URLSearchParams
  /** The exact bytes. */
  readonly body: Buffer
}

/** What a verifier found out about a message that is authentic. */
export interface Verified {
  /** The sender's id of the message, up to 255 characters: the same for each repetition. Tenant and id together are worked once. */
  readonly id: string
  /** Whose message it is; null: nobody's, and it is worked outside of any tenant. */
  readonly tenantId: string | null
}

/**
 * Whether a message is authentic, and whose it is. Null: it is not (401, nothing is stored). `ignore`: it is, but nobody's
 * here, such as one for a tenant that is gone: the sender is told that all is well, and nothing is stored. It is called
 * outside of transactions, may look something up by `ctx.transaction`, also as the system role, and talks to nobody outside.
 */
export type InboundVerify = (
  ctx: Ctx,
  request: InboundRequest,
) => Promise<Verified | 'ignore' | null> | Verified | 'ignore' | null

/** A message as it is worked. */
export interface InboundMessage {
  readonly id: string
  /** When it came, in ISO 8601. */
  readonly receivedAt: string
  /** Those that the source keeps (`headers`), as far as they were sent. */
  readonly headers: Readonly<Record<string, string>>
  /** The exact bytes. */
  readonly body: Buffer
}

export interface InboundSpec extends Partial<Pick<Job, 'maxAttempts' | 'leaseMs' | 'transaction' | 'outbound'>> {
  /** A sentence for the API document: whose messages these are, and about what. */
  description: string
  /**
   * An error of `defineError` is answered as it is. Anything else that it throws is logged and 503, so that the sender comes
   * again: what could not be verified is never taken, and never lost.
   */
  verify: InboundVerify
  /**
   * Works a message in a job of its tenant, by default in the transaction that ends the job: its effect is there once, however
   * often it is tried. With `transaction: 'manual'`, for what talks to the outside, it runs at least once.
   */
  handle: (ctx: Ctx, message: InboundMessage) => Promise<void>
  /** Largest body in bytes; default 256 KiB, at most 1 MiB. */
  bodyLimit?: number
  /** Default `['application/json']`. */
  contentTypes?: readonly string[]
  /** Names, in lower case, of headers that `handle` needs. They are stored until the message is worked. Default none. */
  headers?: readonly string[]
  /** Errors that `verify` throws by itself, for the API document. */
  errors?: readonly ErrorKind[]
}

/** A place where others' servers leave messages, at `POST /api/v1/inbound/<name>`. */
export interface InboundSource {
  readonly name: string
  readonly headers: readonly string[]
  readonly verify: InboundVerify
  /** What takes the messages in; `defineModule` puts it among the routes of its module. */
  readonly route: Route
  /** What works them; `defineModule` puts it among the jobs of its module. */
  readonly job: Job
}
