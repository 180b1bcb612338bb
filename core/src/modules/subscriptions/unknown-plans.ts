import type { Core } from '#kernel'
import { listPlanCodes } from './queries.ts'

/** Limits and features that name a plan which is none, and so say nothing of the one that was meant. */
export async function unknownPlans(core: Core): Promise<string[]> {
  const known = new Set(await core.run(({ tx }) => listPlanCodes(tx), { tenantId: null, readOnly: true }))
  const { limits, features } = core.registry
  const named = [
    ...[...limits].map(([name, { module, plans = {} }]) => [`limit ${name} (${module})`, Object.keys(plans)] as const),
    ...[...features].map(([name, { module, plans = [] }]) => [`feature ${name} (${module})`, plans] as const),
  ]
  return named.flatMap(([what, plans]) =>
    plans
      .filter((plan) => !known.has(plan))
      .map((plan) => `${what} names the plan ${plan}, which is none of ${[...known].join(', ')}`),
  )
}
