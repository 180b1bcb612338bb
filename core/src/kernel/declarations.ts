import type { Core } from './core.ts'
import { RegistryError } from './registry.ts'

/**
 * Problems with declarations of modules that only the database or another module can detect, one sentence each: a limit
 * that counts a missing table, an unknown role or plan.
 */
export async function findDeclarationProblems(core: Core): Promise<string[]> {
  const counted = await core.db.systemQuery<{ name: string }>("select name from tenantry.tables where kind = 'tenant'")
  const tables = new Set(counted.map(({ name }) => name))
  const problems = [...core.registry.limits].flatMap(([name, { counts, module }]) =>
    counts === undefined || tables.has(counts)
      ? []
      : [`limit ${name} (${module}) counts ${counts}, which is no tenant-owned table`],
  )
  for (const { declarationProblems } of core.registry.modules)
    problems.push(...((await declarationProblems?.(core)) ?? []))
  return problems
}

/** For the start: throws `RegistryError` with all of them. */
export async function assertDeclarationsFit(core: Core): Promise<void> {
  const problems = await findDeclarationProblems(core)
  if (problems.length > 0) throw new RegistryError(problems)
}
