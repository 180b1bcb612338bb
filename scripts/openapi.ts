// Writes docs/openapi.json from the built-in modules; with --check, only says whether it is current.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { openapiDocument } from '../core/src/kernel/http/openapi.ts'
import { kernelModule } from '../core/src/kernel/probes.ts'
import { createRegistry } from '../core/src/kernel/registry.ts'
import { builtinModules } from '../core/src/modules/index.ts'

const FILE = fileURLToPath(new URL('../docs/openapi.json', import.meta.url))

/** The document as it ought to stand in the file. */
export function renderDocument(): string {
  return `${JSON.stringify(openapiDocument({ registry: createRegistry([kernelModule, ...builtinModules]) }), null, 2)}\n`
}

/** True when the file holds another document than the modules make. */
export function isStale(): boolean {
  try {
    return readFileSync(FILE, 'utf8') !== renderDocument()
  } catch {
    return true
  }
}

if (import.meta.main) {
  if (!process.argv.includes('--check')) {
    writeFileSync(FILE, renderDocument())
    process.stdout.write('Wrote docs/openapi.json\n')
  } else if (isStale()) {
    process.stderr.write('docs/openapi.json is not current: run node scripts/openapi.ts\n')
    process.exitCode = 1
  }
}
