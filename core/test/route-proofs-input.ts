import assert from 'node:assert/strict'
import type { TSchema } from 'typebox'
import type { RegisteredRoute } from '../src/kernel/registry.ts'
import type { Answered } from '../src/testing/index.ts'
import type { World } from '../src/testing/isolation/world.ts'
import type { PeopledWorld } from './route-people.ts'
import { type Sent, send } from './route-requests.ts'

/** The keywords of JSON Schema that say what is wrong input. */
interface Keywords {
  type?: string | string[]
  enum?: unknown[]
  format?: string
  maxLength?: number
  required?: string[]
  additionalProperties?: unknown
  properties?: Record<string, Keywords>
}

const UNKNOWN = 'no_such_field'

/** Whether any query is taken, as by pages that other programs link to: there is nothing to refuse. */
export const takesAnything = ({ query, method }: RegisteredRoute): boolean =>
  method === 'GET' && keywords(query).additionalProperties === true

/**
 * All that is wrong is named at once, and before it is looked at whether the caller may do this at all: the requests
 * come from a member without any permission. Nothing is written.
 */
export async function proveInputRefused(world: PeopledWorld, route: RegisteredRoute): Promise<void> {
  const before = await countRecords(world)
  const query = keywords(route.query)
  const body = keywords(route.body)
  const token = route.access === 'public' ? null : world.nobody
  const refused = async (sent: Sent, pointers: string[]) =>
    assert.deepEqual(pointersOf(await send(world, route, { token, ...sent })), pointers.sort())

  const isRaw = route.raw !== undefined
  // What arrives bit by bit is looked at when it is known that it may.
  const isStreamed = (route.stream ?? route.form) !== undefined
  const headers = (keywords(route.headers).required ?? []).map((name) => `headers/${name}`)
  const allWrong: Sent = {
    query: { ...mapValues(query.properties, wrongText), [UNKNOWN]: '1' },
    headers: { 'x-store-id': 'no-uuid' },
    ...(route.method === 'GET' || isRaw || isStreamed
      ? {}
      : { body: { ...mapValues(body.properties, wrongValue), [UNKNOWN]: 1 } }),
    ...(isRaw ? { raw: '' } : {}),
  }
  await refused(allWrong, [
    'headers/x-store-id',
    ...headers,
    ...Object.keys(allWrong.query ?? {}).map((name) => `query/${name}`),
    ...(route.body
      ? Object.keys(Object(allWrong.body)).map((name) => `#/${name}`)
      : allWrong.body || isRaw
        ? ['#']
        : []),
  ])
  await refused({ query: { [UNKNOWN]: '1' }, ...(route.body ? { body: {} } : {}), ...(isRaw ? { raw: '[]' } : {}) }, [
    `query/${UNKNOWN}`,
    ...headers,
    ...(query.required ?? []).map((name) => `query/${name}`),
    ...(body.required ?? []).map((name) => `#/${name}`),
  ])
  // What is wrong with its bytes is for the handler to say.
  if (route.method !== 'GET' && !isRaw && !isStreamed) await proveShapeRefused(route, query, refused)
  assert.equal(await countRecords(world), before, 'a refused request left a record')
}

/** A body that is missing, or is there where none is taken, or is no object. */
async function proveShapeRefused(
  { body }: RegisteredRoute,
  query: Keywords,
  refused: (sent: Sent, pointers: string[]) => Promise<void>,
): Promise<void> {
  const missing = (query.required ?? []).map((name) => `query/${name}`)
  for (const wrong of body ? [undefined, [], 'text', null] : [[], 'text', 5, null, { [UNKNOWN]: {} }])
    await refused({ body: wrong }, [...missing, '#'])
}

function pointersOf({ status, body, text }: Answered): string[] {
  assert.deepEqual([status, body.code], [400, 'invalid_request'], text)
  const found = body.errors.map(({ pointer, detail }: { pointer: string; detail: string }) => {
    assert.ok(detail.length > 0)
    return pointer
  })
  return [...new Set<string>(found)].sort()
}

/** A value that the schema cannot take, whatever else it says. */
const wrongValue = ({ type }: Keywords): unknown => ([type].flat().includes('string') ? 5 : 'wrong')

/** Text of a query field that the schema cannot take. */
const wrongText = (schema: Keywords): string =>
  schema.type !== 'string' || schema.enum || schema.format ? '~' : 'x'.repeat((schema.maxLength ?? 0) + 1)

const keywords = (schema: TSchema | undefined): Keywords => Object(schema)

function mapValues<T>(properties: Record<string, Keywords> = {}, change: (schema: Keywords) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, change(schema)]))
}

export async function countRecords({ test }: World): Promise<number> {
  const [row] = await test.core.db.systemQuery<{ count: number }>('select count(*)::int as count from audit_logs')
  return row?.count ?? 0
}
