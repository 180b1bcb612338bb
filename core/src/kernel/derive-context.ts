import type { Ctx, TransactionOptions } from './context.ts'
import type { Context } from './create-context.ts'
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
