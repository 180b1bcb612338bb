import assert from 'node:assert/strict'
import { operatorRolesOf } from '#kernel'
import { sampleOf } from '../src/kernel/http/openapi-samples.ts'
import type { RegisteredRoute } from '../src/kernel/registry.ts'
import type { Answered } from '../src/testing/index.ts'
import type { PeopledWorld } from './route-people.ts'
import { type Prepared, prepare, type Sent, send } from './route-requests.ts'

/** Pages of one row show what pages of a hundred show, newest first; limits and cursors are held to. */
export async function provePaging(world: PeopledWorld, route: RegisteredRoute): Promise<void> {
  const prepared = await prepareTwo(world, route)
  // What is of all tenants grows with every test, so only what its case narrows it to is read to the end.
  const narrowed = operatorRolesOf(route.access) === null ? {} : prepared.sent.query
  const list = (query: Record<string, string>, more: Sent = {}) =>
    send(world, route, { ...prepared.sent, ...more, query: { ...narrowed, ...query } })

  const whole = await readAll(list, 100)
  assert.ok(whole.length >= 2, 'there must be two to page through')
  const created = whole.map(({ created_at }) => created_at)
  assert.deepEqual(created, created.toSorted().reverse())
  assert.deepEqual(await readAll(list, 1), whole)

  for (const limit of ['0', '101', '-1', '1.5', 'all', ''])
    assert.deepEqual(refusal(await list({ limit })), [400, 'invalid_request', 'query/limit'])
  const { next_cursor: cursor } = (await list({ limit: '1' })).body
  await proveCursorIsOfThisList(world, route, { cursor, list, prepared })
}

/** In a tenant of its own, whose list is short: once more with the same objects, and before that with others. */
async function prepareTwo(world: PeopledWorld, route: RegisteredRoute): Promise<Prepared> {
  const tenant = await world.foundAnother()
  await prepare(world, route, await world.afresh(tenant))
  await prepare(world, route, tenant)
  return prepare(world, route, { ...tenant })
}

/** The whole list by pages of so many rows, of which the last alone may have fewer. */
async function readAll(
  list: (query: Record<string, string>) => Promise<Answered>,
  limit: number,
): Promise<{ created_at: string }[]> {
  const rows: { created_at: string }[] = []
  let cursor: string | null = null
  do {
    const { body }: Answered = await list({ limit: String(limit), ...(cursor ? { cursor } : {}) })
    assert.ok(body.next_cursor === null ? body.data.length > 0 : body.data.length === limit)
    rows.push(...body.data)
    cursor = body.next_cursor
  } while (cursor)
  return rows
}

interface Paged {
  cursor: string
  list(query: Record<string, string>, more?: Sent): Promise<Answered>
  prepared: Prepared
}

/** Of another list, another filter, another tenant or nobody: 400 `invalid_cursor`. */
async function proveCursorIsOfThisList(
  world: PeopledWorld,
  route: RegisteredRoute,
  { cursor, list, prepared: { tenant } }: Paged,
): Promise<void> {
  const wrong: Answered[] = []
  for (const bad of ['garbage', `${cursor}x`, '', 'x'.repeat(501)]) wrong.push(await list({ cursor: bad }))
  const { limit: _, cursor: __, ...filters } = route.query?.properties ?? {}
  for (const [name, schema] of Object.entries(filters))
    wrong.push(await list({ cursor, [name]: String(sampleOf(schema, name)) }))
  // Only lists that the other tenant has too: who reads another's store is told 404.
  if (operatorRolesOf(route.access) !== null) assert.ok(!route.path.includes(':'), 'whose list is it?')
  else if (!route.path.includes(':')) wrong.push(await list({ cursor }, { token: world.b.owner }))
  else wrong.push(await list({ cursor }, { params: { id: await (await world.afresh(tenant)).id(above(route)) } }))
  for (const other of world.test.core.registry.routes.filter(({ query }) => query && 'cursor' in query.properties)) {
    if (other.url === route.url) continue
    const { sent } = await prepare(world, other, { ...tenant })
    wrong.push(await send(world, other, { ...sent, query: { cursor } }))
  }
  for (const answer of wrong) assert.deepEqual(refusal(answer), [400, 'invalid_cursor', undefined], answer.text)
}

/** `/stores` of `/stores/:id/users`. */
const above = ({ path }: RegisteredRoute) => path.slice(0, path.indexOf('/:')) as `/${string}` // paths begin with /

const refusal = ({ status, body }: Answered) => [status, body.code, body.errors?.[0]?.pointer]
