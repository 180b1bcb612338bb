import type { LimitSpec } from './access/specs.ts'

/**
 * Problems with the declaration of a limit. Types prevent most of them; applications in plain JavaScript need this
 * check.
 */
export function problemsOfLimit(
  name: string,
  { counts, until, per, holds, plans = {} }: LimitSpec & { module: string },
): string[] {
  const problems: string[] = []
  if (!/^[a-z][a-z0-9_.]{0,62}$/.test(name)) problems.push(`limit ${name} has a name that is no snake_case word`)
  if ([counts, per, holds].filter((kind) => kind !== undefined).length !== 1)
    problems.push(
      `limit ${name} says not exactly one of counts (a table), holds (bytes) and per ('period' or 'minute')`,
    )
  if (holds !== undefined && !/^[a-z][a-z ]{0,62}$/.test(holds))
    problems.push(`limit ${name} holds ${holds}, which is no word for what is counted`)
  if (per !== undefined && per !== 'period' && per !== 'minute')
    problems.push(`limit ${name} counts per ${per}, which is neither 'period' nor 'minute'`)
  if (counts !== undefined && !/^[a-z_][a-z0-9_]{0,62}$/.test(counts))
    problems.push(`limit ${name} counts ${counts}, which is no name of a table`)
  if (until !== undefined && (counts === undefined || !/^[a-z_][a-z0-9_]{0,62}$/.test(until)))
    problems.push(`limit ${name} counts until ${until}, which is no name of a column of a table that it counts`)
  for (const [plan, max] of Object.entries(plans))
    if (max !== null && !(Number.isSafeInteger(max) && max >= 0))
      problems.push(`limit ${name} has for the plan ${plan} neither a whole number from 0 nor null`)
  return problems
}
