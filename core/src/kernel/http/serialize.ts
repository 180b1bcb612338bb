import fastJsonStringify from 'fast-json-stringify'
import type { TSchema } from 'typebox'

export type Serialize = (value: unknown) => string

/** Writes exactly the fields that the schema names. Compiled when first needed. */
export function lazySerializer(schema: TSchema): Serialize {
  let write: Serialize | undefined
  return (value) => {
    // The two libraries type JSON Schema in their own words.
    write ??= fastJsonStringify(schema as Parameters<typeof fastJsonStringify>[0])
    return write(value)
  }
}
