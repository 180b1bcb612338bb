import type { Actor, Principal } from './access/slots.ts'
import { resolveGrants } from './access/standing.ts'
import type { Ctx, TransactionOptions } from './context.ts'
import { coreOf } from './core-of.ts'
import { type Context, systemActor } from './create-context.ts'
import type { Parts } from './http/parts.ts'

/** The same context, which knows what parts of its work were done before. */
export function keepingParts(ctx: Ctx, parts: Parts): Ctx {
  return (ctx as Context).keepingParts(parts) // every context is of this class
}

/**
 * Does a part of the work of a manual route in a transaction of its own, which the route's other parts do not undo. With an
 * `Idempotency-Key` each is done once: where the request comes again because its process died, a part that was committed is
 * not done again and gives what it gave, as JSON. `name` is unique within the request.
 */
export function performPart<T>(
  ctx: Ctx,
  name: string,
  work: (ctx: Ctx) => Promise<T>,
  options: TransactionOptions,
): Promise<T> {
  return (ctx as Context).part(name, work, options) // every context is of this class
}

/**
 * The same context, in the same transaction, outside of any tenant: for what is recorded of the installation beside what
 * is recorded of the tenant.
 */
export function outsideTenants(ctx: Ctx): Ctx {
  return (ctx as Context).outside() // every context is of this class
}

/**
 * The same context, in the same transaction of the system role, in a tenant: for what operators do to one, which its own log
 * tells. The caller's rights in their own tenant count for nothing there. Throws where the route does not say
 * `entersTenants`, and in a transaction of the application role, which the database binds to one tenant.
 */
export function insideTenant(ctx: Ctx, tenantId: string): Ctx {
  return (ctx as Context).inside(tenantId) // every context is of this class
}

/**
 * The context of another person, or of the system (null), in the same transaction. Their rights are read in it from all
 * sources of grants, without a cache; used for invitations, which are accepted later than they were sent. The caller
 * checks that the person still belongs to the tenant.
 */
export async function onBehalfOf(ctx: Ctx, userId: string | null): Promise<Ctx> {
  const absent = { principal: null, resolved: null }
  const { impersonatorId } = ctx.actor
  // Who has it done as somebody else stays on record.
  if (userId === null) return (ctx as Context).acting({ ...absent, actor: { ...systemActor, impersonatorId } }) // every context is of this class
  const actor: Actor = { type: 'user', id: userId, label: '', impersonatorId: null }
  const principal: Principal = { key: '', tenantId: ctx.tenantId, userId, sessionId: null, actor }
  const resolved = await resolveGrants(coreOf(ctx), ctx.tx, principal)
  return (ctx as Context).acting({ actor, principal, resolved }) // as above
}

/** The same context, whose writing transactions in its own tenant are refused when `guard` throws. */
export function guarded(ctx: Ctx, guard: (ctx: Ctx) => Promise<void>): Ctx {
  return (ctx as Context).guardedBy(guard) // every context is of this class
}

/** Throws when the rows of the route had to be limited to the caller's stores and were not. */
export function assertNarrowed(ctx: Ctx): void {
  ;(ctx as Context).sight.assertApplied() // every context is of this class
}
