// Writes docs/openapi.json from the built-in modules; with --check, only says whether it is current. Operations that the
// file has under another name, or not at all any more, are named first: whoever made a client of the document calls them
// by their names. `--renamed` says that it is meant.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type OpenApiDocument, openapiDocument } from '../core/src/kernel/http/openapi.ts'
import { kernelModule } from '../core/src/kernel/probes.ts'
import { createRegistry } from '../core/src/kernel/registry.ts'
import { builtinModules } from '../core/src/modules/index.ts'

const FILE = fileURLToPath(new URL('../docs/openapi.json', import.meta.url))

/** The document as it ought to stand in the file. */
export function renderDocument(): string {
  return `${JSON.stringify(currentDocument(), null, 2)}\n`
}

function currentDocument(): OpenApiDocument {
  return openapiDocument({ registry: createRegistry([kernelModule, ...builtinModules]) })
}

/** True when the file holds another document than the modules make. */
export function isStale(): boolean {
  try {
    return readFileSync(FILE, 'utf8') !== renderDocument()
  } catch {
    return true
  }
}

/** Operations of the file that `now` calls otherwise or has no more, one sentence each. */
export function findRenamed(now: Pick<OpenApiDocument, 'paths'> = currentDocument()): string[] {
  const before: Pick<OpenApiDocument, 'paths'> = JSON.parse(readFileSync(FILE, 'utf8'))
  return Object.entries(before.paths).flatMap(([path, item]) =>
    Object.entries(item).flatMap(([method, { operationId }]) => {
      const name = now.paths[path]?.[method]?.operationId
      if (name === operationId) return []
      return [`${method.toUpperCase()} ${path}: ${operationId} → ${name ?? 'nothing'}`]
    }),
  )
}

function write(): void {
  const renamed = isReadable() ? findRenamed() : []
  if (renamed.length > 0 && !process.argv.includes('--renamed')) {
    process.stderr.write(`Clients that call these by their names break:\n${renamed.join('\n')}\n`)
    process.stderr.write('Give the routes their names back, or say --renamed if it is meant.\n')
    process.exitCode = 1
    return
  }
  writeFileSync(FILE, renderDocument())
  process.stdout.write('Wrote docs/openapi.json\n')
}

/** False after a merge that left its marks, when there is nothing to compare with. */
function isReadable(): boolean {
  try {
    JSON.parse(readFileSync(FILE, 'utf8'))
    return true
  } catch {
    return false
  }
}

if (import.meta.main) {
  if (!process.argv.includes('--check')) write()
  else if (isStale()) {
    process.stderr.write('docs/openapi.json is not current: run node scripts/openapi.ts\n')
    process.exitCode = 1
  }
}
