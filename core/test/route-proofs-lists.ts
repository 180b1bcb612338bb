import assert from 'node:assert/strict'
import { sampleOf } from '../src/kernel/http/openapi-samples.ts'
import type { RegisteredRoute } from '../src/kernel/registry.ts'
import type { Answered } from '../src/testing/index.ts'
import { nameOf, type RouteCase, type Sent } from './route-case.ts'
import { routeCases } from './route-cases.ts'
import { send } from './route-requests.ts'
import type { World } from './route-world.ts'

/** Pages of one row show what one page of a hundred shows, newest first; limits and cursors are held to. */
export async function provePaging(world: World, route: RegisteredRoute, { given }: RouteCase): Promise<void> {
  const sent: Sent = { ...(await given(world)), query: {} }
  const list = (query: Record<string, string>, more: Sent = {}) => send(world, route, { ...sent, ...more, query })

  const whole = await list({ limit: '100' })
  assert.equal(whole.body.next_cursor, null, whole.text)
  assert.ok(whole.body.data.length >= 2, 'there must be two to page through')
  const created = whole.body.data.map(({ created_at }: { created_at: string }) => created_at)
  assert.deepEqual(created, created.toSorted().reverse())
  assert.deepEqual(await readOneByOne(list), whole.body.data)

  for (const limit of ['0', '101', '-1', '1.5', 'all', ''])
    assert.deepEqual(refusal(await list({ limit })), [400, 'invalid_request', 'query/limit'])
  const { next_cursor: cursor } = (await list({ limit: '1' })).body
  await proveCursorIsOfThisList(world, route, cursor, list)
}

async function readOneByOne(list: (query: Record<string, string>) => Promise<Answered>): Promise<unknown[]> {
  const rows: unknown[] = []
  let cursor: string | null = null
  do {
    const { body }: Answered = await list({ limit: '1', ...(cursor ? { cursor } : {}) })
    assert.equal(body.data.length, 1)
    rows.push(...body.data)
    cursor = body.next_cursor
  } while (cursor)
  return rows
}

/** Of another list, another filter, another tenant or nobody: 400 `invalid_cursor`. */
async function proveCursorIsOfThisList(
  world: World,
  route: RegisteredRoute,
  cursor: string,
  list: (query: Record<string, string>, more?: Sent) => Promise<Answered>,
): Promise<void> {
  const wrong: Answered[] = []
  for (const bad of ['garbage', `${cursor}x`, '', 'x'.repeat(501)]) wrong.push(await list({ cursor: bad }))
  const { limit: _, cursor: __, ...filters } = route.query?.properties ?? {}
  for (const [name, schema] of Object.entries(filters))
    wrong.push(await list({ cursor, [name]: String(sampleOf(schema, name)) }))
  // Only lists that the other tenant has too: who reads another's store is told 404.
  if (!route.path.includes(':')) wrong.push(await list({ cursor }, { token: world.other.token }))
  else wrong.push(await list({ cursor }, { params: { id: world.northStoreId } }))
  for (const other of world.test.core.registry.routes.filter(({ query }) => query && 'cursor' in query.properties)) {
    if (other.url === route.url) continue
    const sent = await routeCases[nameOf(other)]?.given(world)
    wrong.push(await send(world, other, { ...sent, query: { cursor } }))
  }
  for (const answer of wrong) assert.deepEqual(refusal(answer), [400, 'invalid_cursor', undefined], answer.text)
}

const refusal = ({ status, body }: Answered) => [status, body.code, body.errors?.[0]?.pointer]
