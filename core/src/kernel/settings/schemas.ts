import Type, { type TObject, type TProperties, type TSchema, type TUnsafe } from 'typebox'
import { Closed, Nullable, Patch } from '../http/schemas.ts'
import type { Setting } from './define.ts'

/** The body of a PUT of settings: any of those of its level. The route says `settings`, and the start puts them in. */
export function SettingsPatch(title: string): TUnsafe<Record<string, unknown>> {
  return Type.Unsafe<Record<string, unknown>>(Closed({}, { title }))
}

/** The object with the settings behind its own fields. */
export function withSettings(object: TObject, settings: Iterable<Setting>): TObject {
  const { type: _, properties, required: __, ...options } = object as TObject & { required?: string[] } // a JSON Schema keyword
  const shown = [...settings].map(({ name, schema }) => [name, schema])
  return Type.Object({ ...properties, ...Object.fromEntries(shown) }, options)
}

/** What a PUT may give of them: each may be left out, and so may the fields of one that is given field by field. */
export function patchOf(patch: TSchema, settings: Iterable<Setting>): TObject {
  const { title } = patch as { title?: string } // a JSON Schema keyword
  const changeable = [...settings].filter(({ readOnly }) => !readOnly)
  const fields: TProperties = Object.fromEntries(
    changeable.map(({ name, schema, over }) => [name, over ? fieldByField(schema) : schema]),
  )
  return Patch(fields, title ? { title } : {})
}

/** The same object with every field optional. */
function fieldByField(schema: TSchema): TSchema {
  const { type, title, properties = {}, description } = schema as Fields // JSON Schema's keywords
  const partial = Patch(properties, {
    ...(title && { title: `${title}Patch` }),
    ...(description && { description }),
  })
  return [type].flat().includes('null') ? Nullable(partial) : partial
}

interface Fields {
  type?: string | string[]
  title?: string
  description?: string
  properties?: TProperties
}
