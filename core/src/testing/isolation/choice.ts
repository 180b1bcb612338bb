import { readdir, readFile } from 'node:fs/promises'
import { migrationsOf } from '../../create-core.ts'
import { kernelModule } from '../../kernel/probes.ts'
import { builtinModules } from '../../modules/index.ts'
import type { IsolationOptions } from './types.ts'

/** What of a core is tried. */
export interface Choice {
  isWhole: boolean
  hasModule(name: string): boolean
  hasTable(name: string): boolean
}

/** Everything, or what the modules bring that `only` names. Throws where it names none, or one that is not there. */
export async function choose({ modules = builtinModules, only }: IsolationOptions): Promise<Choice> {
  if (only === undefined) return { isWhole: true, hasModule: () => true, hasTable: () => true }
  const known = [kernelModule, ...modules].map(({ name }) => name)
  const unknown = only.filter((name) => !known.includes(name))
  if (unknown.length > 0) throw new Error(`\`only\` names ${unknown.join(', ')}; the modules are ${known.join(', ')}`)
  if (only.length === 0) throw new Error('`only` names no module; without it, all of them are tried')
  const left = new Set<string>()
  for (const { module, folder } of migrationsOf(modules))
    if (!only.includes(module)) for (const table of await listTablesIn(folder)) left.add(table)
  // A table is left out because it is known to be another's, not because nobody knows whose it is.
  return { isWhole: false, hasModule: (name) => only.includes(name), hasTable: (name) => !left.has(name) }
}

async function listTablesIn(folder: URL): Promise<string[]> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.sql'))
  const texts = await Promise.all(files.map((name) => readFile(new URL(name, folder), 'utf8')))
  return texts.flatMap((text) =>
    [...text.matchAll(/tenantry\.tenant_table\(\s*'(\w+)'/g)].map(([, table = '']) => table),
  )
}
