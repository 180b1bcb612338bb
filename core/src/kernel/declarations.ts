import { storeRuleOf } from './access/store-scope.ts'
import type { Core } from './core.ts'
import { RegistryError } from './registry.ts'

/**
 * Problems with declarations of modules that only the database or another module can detect, one sentence each: a limit
 * that counts a missing table, rows in a missing column, an unknown role or plan.
 */
export async function findDeclarationProblems(core: Core): Promise<string[]> {
  const counted = await core.db.systemQuery<{ name: string }>("select name from tenantry.tables where kind = 'tenant'")
  const tables = new Set(counted.map(({ name }) => name))
  const problems = [...core.registry.limits].flatMap(([name, { counts, module }]) =>
    counts === undefined || tables.has(counts)
      ? []
      : [`limit ${name} (${module}) counts ${counts}, which is no tenant-owned table`],
  )
  problems.push(...(await problemsOfRows(core)))
  for (const { declarationProblems } of core.registry.modules)
    problems.push(...((await declarationProblems?.(core)) ?? []))
  return problems
}

/** Routes whose rows stand in a column that cannot name a store. */
async function problemsOfRows({ db, registry }: Core): Promise<string[]> {
  const found = await db.systemQuery<{ name: string }>(`select c.relname || '.' || a.attname as name
    from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_type t on t.oid = a.atttypid
    where c.relnamespace = 'core'::regnamespace and c.relkind in ('r', 'p', 'v') and a.attnum > 0 and not a.attisdropped
      and 'uuid'::regtype in (t.oid, t.typbasetype)`)
  const columns = new Set(found.map(({ name }) => name))
  return registry.routes.flatMap(({ access, method, url, module }) => {
    const rows = storeRuleOf(access)?.rows
    if (typeof rows !== 'string' || columns.has(rows)) return []
    return [`route ${method} ${url} (${module}) has the rows ${rows}, which is no column of the database with a UUID`]
  })
}

/** For the start: throws `RegistryError` with all of them. */
export async function assertDeclarationsFit(core: Core): Promise<void> {
  const problems = await findDeclarationProblems(core)
  if (problems.length > 0) throw new RegistryError(problems)
}
