import type { TObject, TSchema } from 'typebox'
import { isObject } from '../fields.ts'
import type { EventDefinition } from './define.ts'
import type { Values } from './redact.ts'

/** An event as others get it: by webhooks, and by following. */
export interface PublishedEvent {
  /** `store.created` */
  readonly name: string
  readonly description: string
  /** The module that declares it. */
  readonly module: string
  /** Of `data`, without what is secret. A plain JSON Schema. */
  readonly schema: TSchema
  /** The event itself, or one of several that go out under this name. */
  readonly definition: EventDefinition
}

/** The name that an event goes out under; undefined: it stays inside. */
export const publicNameOf = ({ name, published }: EventDefinition): string | undefined =>
  published === undefined || published === false ? undefined : published === true ? name : published.as

/** Keywords of ours, which say how values are recorded. */
const OWN_KEYWORDS = new Set(['secret', 'recorded', 'verbatim', 'form'])
const MAPS = new Set(['properties', 'patternProperties', '$defs'])

/** The schema of what goes out: fields that are secret are not in it, at any depth. */
export function publicSchema(schema: TSchema): TSchema {
  return withoutSecrets(schema as Schema) as TSchema // a schema with less in it is one
}

type Schema = Record<string, unknown>

function withoutSecrets(schema: Schema): Schema {
  const kept = Object.entries(schema).filter(([keyword]) => !OWN_KEYWORDS.has(keyword) && !keyword.startsWith('~'))
  const entries = kept.map(([keyword, value]): [string, unknown] => {
    if (MAPS.has(keyword)) return [keyword, openParts(value)]
    if (keyword === 'required' && Array.isArray(value))
      return [keyword, value.filter((name) => !isHidden(schema, name))]
    if (Array.isArray(value)) return [keyword, value.map((each) => (isObject(each) ? withoutSecrets(each) : each))]
    return [keyword, keyword !== 'default' && keyword !== 'const' && isObject(value) ? withoutSecrets(value) : value]
  })
  return Object.fromEntries(entries)
}

const openParts = (parts: unknown): Schema =>
  Object.fromEntries(
    Object.entries(parts as Record<string, Schema>) // a map of schemas by definition
      .filter(([, part]) => !isSecret(part))
      .map(([name, part]) => [name, withoutSecrets(part)]),
  )

const isHidden = ({ properties }: Schema, name: unknown): boolean =>
  isObject(properties) && typeof name === 'string' && isSecret(properties[name])

/** Whether a value of this schema, or one in its list, may be a secret. */
function isSecret(schema: unknown): boolean {
  if (!isObject(schema)) return false
  if (schema.secret === true || isSecret(schema.items)) return true
  return Array.isArray(schema.anyOf) && schema.anyOf.some((branch) => isObject(branch) && branch.secret === true)
}

/** Keywords that are not read here: what they name could go out although it is secret. */
const UNREAD = ['allOf', 'oneOf', 'prefixItems', 'additionalItems', 'not', 'if', 'dependentSchemas', '$ref']

/** Why data of a schema cannot go out, as the end of a sentence; at any depth. */
export function* problemsOfPublished(schema: unknown): Iterable<string> {
  if (!isObject(schema)) return
  const { items } = schema
  for (const keyword of UNREAD)
    if (keyword in schema) yield `has data with ${keyword}, of which it is not known what is secret`
  if (Array.isArray(items)) yield 'has data with a list of fixed places, of which it is not known what is secret'
  const parts = [...MAPS].flatMap((map) => Object.values(asSchema(schema[map])))
  const branches = Array.isArray(schema.anyOf) ? schema.anyOf : []
  for (const part of [...parts, ...branches, items, schema.additionalProperties]) yield* problemsOfPublished(part)
}

/** What goes out of an object: the fields that its schema names and that are not secret, at every depth. */
export function publicData(schema: TObject, values: Values): Values {
  return visible(schema as TSchema as Schema, values) as Values // an object stays one: its schema names properties
}

function visible(schema: Schema, value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(schema.anyOf)) return visible(together(schema.anyOf as Schema[], value), value) // its branches are schemas
  if (Array.isArray(value)) return value.map((each) => visible(asSchema(schema.items), each))
  const { properties, patternProperties, additionalProperties } = schema
  // An object of which nothing is named is open: all of it goes out.
  if (!namesAny(properties) && !namesAny(patternProperties) && !isObject(additionalProperties)) return value
  const entries = Object.entries(value).flatMap(([name, inner]): [string, unknown][] => {
    const own = partFor(schema, name)
    return own === undefined || isSecret(own) || inner === undefined ? [] : [[name, visible(own, inner)]]
  })
  return Object.fromEntries(entries)
}

const namesAny = (map: unknown): boolean => isObject(map) && Object.keys(map).length > 0

const asSchema = (value: unknown): Schema => (isObject(value) ? value : {})

function partFor({ properties, patternProperties, additionalProperties }: Schema, name: string): Schema | undefined {
  if (isObject(properties) && Object.hasOwn(properties, name)) return asSchema(properties[name])
  const pattern = Object.entries(asSchema(patternProperties)).find(([each]) => new RegExp(each).test(name))
  if (pattern) return asSchema(pattern[1])
  return isObject(additionalProperties) ? additionalProperties : undefined
}

/** What any of the branches names that a value may be of; a field that is secret in one of them is secret. */
function together(branches: readonly Schema[], value: object): Schema {
  const type = Array.isArray(value) ? 'array' : 'object'
  const fitting = branches.filter((each) => each.type === undefined || [each.type].flat().includes(type))
  const [only, ...others] = fitting
  if (!only) return { additionalProperties: { secret: true } }
  if (others.length === 0) return only
  if (type === 'array') return { items: { anyOf: fitting.map(({ items }) => asSchema(items)) } }
  const names = new Set(fitting.flatMap(({ properties }) => Object.keys(asSchema(properties))))
  const all = [...names].map((name): [string, Schema] => {
    const parts = fitting.map((each) => partFor(each, name)).filter((part) => part !== undefined)
    const [part] = parts
    return [name, part && parts.length === 1 ? part : { anyOf: parts }]
  })
  return { properties: Object.fromEntries(all) }
}
