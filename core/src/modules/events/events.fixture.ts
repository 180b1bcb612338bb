import { newId } from '#kernel'
import type { Answered, TestCore, TestPerson, TestTenant } from '../../testing/index.ts'

/** An event, as tests look at it. */
// biome-ignore lint/suspicious/noExplicitAny: data of every event
export type Pulled = { id: string; type: string; store_id: string | null; data: any }

/** Makes a store, which is an event in none; its name and id. */
export async function makeStore(person: TestPerson): Promise<{ id: string; name: string }> {
  const name = `Store ${newId()}`
  const { status, body, text } = await person.post('/stores', { name })
  if (status !== 201) throw new Error(`POST /stores answered ${text}`)
  return { id: body.id, name }
}

/** Renames a store, which is an event. */
export async function rename(person: TestPerson, id: string): Promise<string> {
  const name = `Store ${newId()}`
  const { status, text } = await person.put(`/stores/${id}`, { name })
  if (status !== 200) throw new Error(`PUT /stores/:id answered ${text}`)
  return name
}

/** All that one gets from a place on, page by page; the last cursor. */
export async function pullAll(
  person: Pick<TestPerson, 'get'>,
  query: Record<string, string> = {},
): Promise<{ events: Pulled[]; cursor: string }> {
  const events: Pulled[] = []
  for (let after = query.after; ; ) {
    const { status, body, text } = await person.get(pathOf({ ...query, ...(after && { after }) }))
    if (status !== 200) throw new Error(`GET /events answered ${text}`)
    events.push(...body.data)
    if (body.next_cursor === after) return { events, cursor: after as string } // just compared
    after = body.next_cursor
  }
}

export const pathOf = (query: Record<string, string>): `/${string}` => `/events?${new URLSearchParams(query)}`

/** The cursor of now. */
export const cursorOfNow = async (person: Pick<TestPerson, 'get'>, query: Record<string, string> = {}) =>
  (await person.get(pathOf({ ...query, after: 'now' }))).body.next_cursor as string // a text, as the document says

export const namesOf = (events: readonly Pulled[]): string[] => events.map(({ data }) => data.name)

/** Requests with a key. */
export const keyClient = (test: TestCore, key: string) => ({
  get: (path: `/${string}`): Promise<Answered> => test.request('GET', `/api/v1${path}`, { token: key }),
})

/** As if the tenant's oldest events, up to a position, had come in another month, which is over for long. */
export async function makeOld({ core }: TestCore, { id }: TestTenant, upTo: number): Promise<void> {
  await core.db.systemQuery("select tenantry.ensure_partitions('events', '2025-03-01'::date, 1)")
  await core.db.systemQuery(
    `update events set id = overlay(id::text placing substr(tenantry.uuid_at('2025-03-10T12:00:00Z')::text, 1, 13) from 1 for 13)::uuid
     where tenant_id = $1 and position <= $2`,
    [id, upTo],
  )
}
