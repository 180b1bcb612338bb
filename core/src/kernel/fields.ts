import type { Static, TObject, TProperties } from 'typebox'

/**
 * The fields of a schema as columns to select or return: `tx.selectFrom('stores').select(columnsOf(Store))`. A field that
 * is no column of the table does not compile there.
 */
export function columnsOf<P extends TProperties>({ properties }: TObject<P>): readonly (keyof P & string)[] {
  return Object.keys(properties)
}

/** Whether a value is an object with fields: neither null nor an array. */
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The fields of `row` that the schema has, without those that it does not have. */
export function pickFields<T extends TObject>({ properties }: T, row: Static<T>): Static<T> {
  const picked: Record<string, unknown> = {}
  const values = row as Record<string, unknown> // an object schema describes objects
  for (const name in properties) if (name in values) picked[name] = values[name]
  return picked as Static<T> // has all of the schema's fields that `row` has
}
