import { isDeepStrictEqual } from 'node:util'
import type { EventDefinition } from './events/define.ts'
import { type PublishedEvent, problemsOfPublished, publicNameOf, publicSchema } from './events/published.ts'
import type { Module } from './module.ts'

interface PublishedEvents {
  /** By the names that they go out under. */
  byName: ReadonlyMap<string, PublishedEvent>
  /** By the names of the events themselves. */
  bySource: ReadonlyMap<string, PublishedEvent>
}

/** What Standard Webhooks allows: words of letters, digits and `_` with dots between them. */
const NAME = /^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$/
const MAX_NAME = 100

/** The events that go out. `events` has them with all that other modules add to them. */
export function collectPublished(
  modules: readonly Module[],
  events: ReadonlyMap<string, EventDefinition>,
  problems: string[],
): PublishedEvents {
  const byName = new Map<string, PublishedEvent>()
  const bySource = new Map<string, PublishedEvent>()
  for (const module of modules)
    for (const { name: source } of module.events) {
      const definition = events.get(source)
      const name = definition && publicNameOf(definition)
      if (!definition || name === undefined) continue
      if (!NAME.test(name) || name.length > MAX_NAME)
        problems.push(`event ${source} (${module.name}) goes out as ${name}, which is not like store.created`)
      for (const problem of new Set(problemsOfPublished(definition.data)))
        problems.push(`event ${source} (${module.name}) goes out and ${problem}`)
      const known = byName.get(name)
      const schema = publicSchema(definition.data)
      if (known && !isDeepStrictEqual(known.schema, schema))
        problems.push(
          `event ${source} (${module.name}) goes out as ${name} like ${known.definition.name}, with other data`,
        )
      // Of several that share a name, the one that is called so itself describes it.
      const isBest = !known || source === name
      const event = isBest
        ? { name, description: definition.description, module: module.name, schema, definition }
        : known
      byName.set(name, event)
      bySource.set(source, event)
    }
  // Those that came before the one that describes the name.
  for (const [source, { name }] of bySource) bySource.set(source, byName.get(name)!) // put there with it
  return { byName, bySource }
}
