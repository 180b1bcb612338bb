import type { TSchema } from 'typebox'
import type { Method, Responses } from '../module.ts'
import { pascalCase } from './openapi-schemas.ts'

/** What a name is derived from. */
export interface NamedRoute {
  readonly method: Method
  readonly path: string
  readonly response: Responses
}

/** How the name of an operation looks: `listStores`. */
export const OPERATION_NAME = /^[a-z][A-Za-z0-9]*$/

/**
 * What a route is called in the API document, and so in every generated client, when it does not say so itself.
 * - `GET /stores` that answers a list: `listStores`; else `get` and the name: `GET /stores/:id/settings` is `getStoreSettings`.
 * - `POST /stores`: `createStore`. What ends in no plural is an act: `POST /stores/:id/close` is `closeStore`,
 *   `POST /stores/:id/rotate-secret` is `rotateStoreSecret`, `POST /auth/change-password` is `changePassword`.
 * - `PUT`, `PATCH`, `DELETE` and `OPTIONS`: `updateStore`, `patchStore`, `deleteStore`, `describeStore`.
 * `current` stands for the one that the caller is in, as an id would.
 */
export function operationNameOf({ method, path, response }: NamedRoute): string {
  const parts = path.split('/').filter((part) => part !== '')
  const last = parts.at(-1) ?? ''
  if (method === 'POST' && !isOne(last) && !isPlural(last)) return nameOfAct(last, parts.slice(0, -1))
  const name = nameOfThing(parts, method === 'POST')
  if (method === 'GET') return (isList(response) && !isOne(last) ? 'list' : 'get') + name
  return VERBS[method] + name
}

const VERBS: Record<string, string> = {
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
  OPTIONS: 'describe',
}

/** `rotate-secret` of `/stores/:id` → `rotateStoreSecret`. A path without a collection only groups: `/auth/login` → `login`. */
function nameOfAct(act: string, parents: readonly string[]): string {
  const [verb = '', ...object] = act.split('-')
  const thing = parents.some(isPlural) ? nameOfThing(parents, true) : pascalCase(parents.slice(1).join('/'))
  return verb.toLowerCase() + thing + pascalCase(object.join('/'))
}

/** `/stores/:id/settings` → `StoreSettings`; `one`: of what it ends in, a single one. */
function nameOfThing(parts: readonly string[], one: boolean): string {
  const lastIsOne = isOne(parts.at(-1) ?? '')
  const named = parts.filter((part) => !isOne(part))
  return pascalCase(
    named.map((part, i) => (one || lastIsOne || i < named.length - 1 ? singular(part) : part)).join('/'),
  )
}

/** What a parameter of a path picks one of: `role` for `role_id`, wherever it stands; `user` for `id` of `/users/:id`. */
export function thingNamedBy(parameter: string, path: string): string {
  if (parameter.endsWith('_id')) return parameter.slice(0, -'_id'.length).replaceAll('_', ' ')
  const parts = path.split('/')
  return singular(parts[parts.indexOf(`:${parameter}`) - 1] ?? '').replaceAll('-', ' ')
}

/** Stands for one of what the path names before it. */
function isOne(part: string): boolean {
  return part.startsWith(':') || part === 'current'
}

function isList(response: Responses): boolean {
  return Object.values(response).some((schema) => {
    const { data } = (schema as (TSchema & { properties?: Record<string, { type?: string }> }) | null)?.properties ?? {} // JSON Schema's keywords
    return data?.type === 'array'
  })
}

function isPlural(part: string): boolean {
  return /[a-z]s$/.test(part) && !/(ss|us|is)$/.test(part)
}

/** English as paths use it; what it gets wrong gives its route a name. */
function singular(word: string): string {
  if (!isPlural(word)) return word
  if (word.endsWith('ies')) return `${word.slice(0, -3)}y`
  return /(ss|sh|ch|x)es$/.test(word) ? word.slice(0, -2) : word.slice(0, -1)
}
