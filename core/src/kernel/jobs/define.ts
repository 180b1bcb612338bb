import type { Static, TObject } from 'typebox'
import type { Ctx } from '../context.ts'

/** Work that happens after commit, retried until it succeeds or `maxAttempts` is spent. */
export interface Job<P extends TObject = TObject> {
  /** `<module>.<verb_noun>`: `auth.send_reset_mail`. */
  readonly name: string
  /** Ids rather than objects: the job reads what is true when it runs. */
  readonly payload: P
  /** Default 10, with exponential delays: about 6 hours until given up. */
  readonly maxAttempts: number
  /**
   * After this many milliseconds without an end the job is taken for hung and another process may take it over. Default
   * 5 minutes. A process that died is noticed sooner: within a minute or two.
   */
  readonly leaseMs: number
  /**
   * `managed` (default): the handler runs inside one transaction that also removes the job, so its writes happen exactly
   * once. `manual`: the handler talks to the outside and opens transactions itself; it runs at least once.
   */
  readonly transaction: 'managed' | 'manual'
  /**
   * It waits for others that may be slow or silent: servers that tenants name (a sink, a webhook), the file storage, the
   * scanner. Such jobs have places of their own in a worker, so many for each tenant: however long they wait, mail and
   * everything else goes on. Default false.
   *
   * `'receiver'`, for a `manual` job: it waits for one server, a tenant's own, and whoever has the same payload waits for the
   * same. One that keeps it waiting keeps none of the tenant's places, so others of the tenant go on, too.
   */
  readonly outbound: boolean | 'receiver'
  /** It runs also for a tenant that is at rest, whose other jobs wait. Default false. */
  readonly whileResting: boolean
  readonly handler: (ctx: Ctx, payload: Static<P>) => Promise<void>
  /** Several at once, for what costs little more than one does. Null: each alone. */
  readonly together: Together<P> | null
}

/**
 * Due jobs of one kind and tenant that are tried for the first time, in one call, in nobody's name, since each may have come
 * from somebody else. One that has failed, or whose process died, runs alone from then on.
 */
export interface Together<P extends TObject> {
  readonly max: number
  /**
   * Gives what failed, by the place of its payload: that is tried again, and no other. When it throws, nothing has been done
   * yet: each of them runs alone, so that one takes no others with it.
   */
  readonly handler: (ctx: Ctx, payloads: readonly Static<P>[]) => Promise<Failures>
}

export type Failures = ReadonlyMap<number, unknown>

type Options<P extends TObject> = Partial<Pick<Job<P>, 'maxAttempts' | 'leaseMs' | 'outbound' | 'whileResting'>>
interface Alone<P extends TObject> extends Options<P>, Pick<Job<P>, 'payload' | 'handler'> {
  transaction?: Job['transaction']
}
interface Several<P extends TObject> extends Options<P>, Pick<Job<P>, 'payload'> {
  transaction: 'manual'
  together: Together<P>
}

/** Declares a job. It runs in the context of the tenant that enqueued it, or without one. Throws when it would keep a transaction open while a receiver is waited for. */
export function defineJob<P extends TObject>(name: string, spec: Alone<P> | Several<P>): Job<P> {
  if (spec.outbound === 'receiver' && spec.transaction !== 'manual')
    throw new Error(`The job ${name} waits for a receiver: its transaction has to be manual`)
  const defaults = {
    maxAttempts: 10,
    leaseMs: 5 * 60_000,
    transaction: 'managed',
    outbound: false,
    whileResting: false,
  } as const // a word is a type
  if (!('together' in spec)) return Object.freeze({ name, ...defaults, together: null, ...spec })
  const { handler } = spec.together
  const alone = async (ctx: Ctx, payload: Static<P>): Promise<void> => {
    for (const failure of (await handler(ctx, [payload])).values()) throw failure
  }
  return Object.freeze({ name, ...defaults, ...spec, handler: alone })
}

export interface EnqueueOptions {
  /** Not before this moment (ISO 8601). Default: at once. */
  runAt?: string
  /**
   * While a job with this key waits, a second one is not added. A waiting one runs after the commit of whoever asked for
   * it last, and no later than the earliest `runAt` asked for.
   */
  dedupeKey?: string
}

/** A job that runs by the clock, once however many processes run; missed times are made up for once. */
export interface Schedule {
  /** Five fields, UTC: `0 3 * * *`. */
  readonly cron: string
  readonly name: string
  /**
   * Runs without a tenant and without a transaction, never twice at the same time: it opens what it needs by
   * `ctx.transaction`, with `{ role: 'system' }` for what sees all tenants, and goes through tenants by `everyTenant`. A
   * run that a crash ended is begun again, so it may see its own traces.
   */
  readonly handle: (ctx: Ctx) => Promise<void>
}

/** Declares work by the clock. */
export function every(cron: string, name: string, handle: (ctx: Ctx) => Promise<void>): Schedule {
  return Object.freeze({ cron, name, handle })
}
