// Writes docs/event-fields.json: each field of each event that goes out, with its type, under the version that promised it.
// Within a version fields are only added: what is in the file and not in the code any more, or of another type, is named and
// nothing is written. `npm run event-fields` after an event or a field was added.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { kernelModule } from '../core/src/kernel/probes.ts'
import { createRegistry } from '../core/src/kernel/registry.ts'
import { builtinModules } from '../core/src/modules/index.ts'
import { API_VERSIONS } from '../core/src/modules/webhooks/schema.ts'

const FILE = fileURLToPath(new URL('../docs/event-fields.json', import.meta.url))

/** By event and path of a field (`address.city`, `roles[].name`), its types. */
export type Fields = Readonly<Record<string, Readonly<Record<string, string>>>>

/** The fields of what goes out now. */
export function currentFields(): Fields {
  const { published } = createRegistry([kernelModule, ...builtinModules])
  const events = [...published.values()].toSorted((one, other) => (one.name < other.name ? -1 : 1))
  return Object.fromEntries(events.map(({ name, schema }) => [name, Object.fromEntries(fieldsOf(schema, ''))]))
}

interface Shape {
  type?: string | string[]
  properties?: Record<string, Shape>
  items?: Shape
  anyOf?: Shape[]
}

function* fieldsOf(schema: object, path: string): Generator<[string, string]> {
  const { type, properties = {}, items, anyOf = [] } = schema as Shape // JSON Schema's keywords
  const types = [...[type ?? []].flat(), ...anyOf.flatMap((branch) => [branch.type ?? []].flat())]
  if (path !== '') yield [path, types.toSorted().join(' | ')]
  for (const [name, part] of Object.entries(properties)) yield* fieldsOf(part, path === '' ? name : `${path}.${name}`)
  if (items) yield* fieldsOf(items, `${path}[]`)
  for (const branch of anyOf) if (branch.properties) yield* fieldsOf({ properties: branch.properties }, path)
}

/** What was promised and is no more, one sentence each. */
export function findBroken(promised: Fields, current: Fields): string[] {
  return Object.entries(promised).flatMap(([event, fields]) => {
    const now = current[event]
    if (!now) return [`${event} goes out no more`]
    return Object.entries(fields).flatMap(([path, type]) => {
      if (!(path in now)) return [`${event}: ${path} is gone`]
      return now[path] === type ? [] : [`${event}: ${path} was ${type} and is ${now[path]}`]
    })
  })
}

/** What the file says of the newest version. */
export function promisedFields(): Fields {
  const file: Record<string, Fields> = JSON.parse(readFileSync(FILE, 'utf8'))
  return file[API_VERSIONS[API_VERSIONS.length - 1]!] ?? {} // there is one
}

if (import.meta.main) {
  const current = currentFields()
  const broken = findBroken(promisedFields(), current)
  if (broken.length > 0) {
    process.stderr.write(`Within a version fields are only added:\n${broken.join('\n')}\n`)
    process.exitCode = 1
  } else {
    const file: Record<string, Fields> = JSON.parse(readFileSync(FILE, 'utf8'))
    writeFileSync(FILE, `${JSON.stringify({ ...file, [API_VERSIONS[API_VERSIONS.length - 1]!]: current }, null, 2)}\n`) // there is one
    process.stdout.write('Wrote docs/event-fields.json\n')
  }
}
