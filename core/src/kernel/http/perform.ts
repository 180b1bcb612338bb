import { operatorRolesOf } from '../access/operators.ts'
import type { Ctx } from '../context.ts'
import type { Core } from '../core.ts'
import { assertNarrowed, guarded } from '../derive-context.ts'
import { type Finished, finished, type Prepared } from './finish.ts'
import type { Input } from './input.ts'
import { isSafe } from './methods.ts'

/**
 * Runs the handler in its transaction. What the plan forbids is part of it, and so is `keep`, which keeps the answer for
 * repetitions.
 */
export async function perform(
  core: Core,
  prepared: Prepared,
  base: Ctx,
  input: Input,
  keep?: (ctx: Ctx, answer: Finished) => Promise<void>,
): Promise<Finished> {
  const { route, plan } = prepared
  const run = async (ctx: Ctx) => {
    // The registry erased the types that the schemas have checked.
    const result = await route.handler(ctx, input as never)
    assertNarrowed(ctx)
    return finished(prepared, result, input)
  }
  if (route.transaction === 'manual') {
    // Its work may reach outside. The limit is consumed by the operation itself with `consume`, in the transaction that writes.
    if (plan && route.feature !== undefined)
      await base.transaction((ctx) => plan(ctx), { readOnly: isSafe(route.method) })
    const answer = await run(plan ? guarded(base, plan) : base)
    if (keep) await base.transaction((ctx) => keep(ctx, answer))
    return answer
  }
  return base.transaction(
    async (ctx) => {
      const asked = plan?.(ctx)
      // Nobody looks at it when the handler itself fails.
      asked?.catch(() => {})
      const answer = await run(ctx)
      // 404 and 409 come before 402.
      await asked
      if (route.limit) await core.registry.allowances?.consumed(ctx, route.limit)
      await keep?.(ctx, answer)
      return answer
    },
    {
      ...(operatorRolesOf(route.access) !== null && { role: 'system', tenantId: null }),
      readOnly: isSafe(route.method),
    },
  )
}
