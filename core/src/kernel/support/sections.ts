import Type, { type TSchema } from 'typebox'
import { Closed } from '../http/schemas.ts'
import type { SupportSection } from './define.ts'

/**
 * Stands in the answer of a route for the sections of all modules: the start puts them in, each of which may be missing.
 */
export const SupportSections = Type.Unsafe<Readonly<Record<string, object>>>({
  type: 'object',
  description: 'By name, what each module knows of it. A section that your role does not see is absent',
})

/** The answer with the sections in their place; any other is as it was. */
export function withSections(schema: TSchema | null, sections: ReadonlyMap<string, SupportSection>): TSchema | null {
  const { type: _, properties, required: __, ...options } = (schema ?? {}) as Fields // JSON Schema's keywords
  const place = Object.entries(properties ?? {}).find(([, part]) => part === SupportSections)
  if (!place) return schema
  const { description } = SupportSections as { description?: string } // as above
  const parts = [...sections.values()].map((each) => [
    each.name,
    Type.Optional(Type.With(each.schema, { description: each.description })),
  ])
  return Type.Object({ ...properties, [place[0]]: Closed(Object.fromEntries(parts), { description }) }, options)
}

interface Fields {
  type?: string
  required?: string[]
  properties?: Record<string, TSchema>
}
