import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { Closed, defineModule, defineRoute, Moment, sql, Type } from '#kernel'
import { openapiDocument } from '../src/kernel/http/openapi.ts'
import { builtinModules } from '../src/modules/index.ts'
import { createTestCore, type TestCore } from '../src/testing/index.ts'
import { listOperations } from '../src/testing/operations.ts'
import { SOME_ID } from './hostile-values.ts'
import { builtinApplication, createOwner } from './people.ts'

/** Times that JSON Schema's `date-time`, or a careless check of it, would let through. */
const TIMES = [
  '0000-01-01T00:00:00Z',
  '0000-12-31T23:59:59.999Z',
  '0001-01-01T00:00:00+01:00',
  '9999-12-31T23:59:59.999-00:01',
  '+010000-01-01T00:00:00Z',
  '-000001-01-01T00:00:00Z',
  '2016-12-31T23:59:60Z',
  '2026-01-31T12:00:00+23:59',
  '2026-01-31T12:00:00Z[Europe/Berlin]',
  '2026-02-30T00:00:00Z',
  '2026-01-31T24:00:00Z',
  'infinity',
  'now',
]

const Values = Closed({
  small: Type.Optional(Type.Integer()),
  large: Type.Optional(Type.Integer()),
  exact: Type.Optional(Type.Number()),
  day: Type.Optional(Type.String({ format: 'date' })),
  moment: Type.Optional(Type.String({ format: 'date-time' })),
  text: Type.Optional(Type.String({ format: 'time' })),
})
const Held = Type.Unsafe<object>({ type: 'object', additionalProperties: true })

/** An application that hands on whatever its schema took. */
const careless = defineModule({
  name: 'careless',
  routes: [
    defineRoute({
      method: 'POST',
      path: '/held',
      summary: 'Hold values',
      access: 'public',
      body: Values,
      response: { 200: Held },
      handler: async ({ tx }, { body: { small, large, exact, day, moment } }) => {
        const held = sql<object>`select ${small ?? 0}::text::int4 as small, ${large ?? 0}::text::int8 as large,
          ${exact ?? 0}::text::real as exact, ${day ?? '2026-01-31'}::date as day,
          ${moment ?? '2026-01-31T12:00:00Z'}::timestamptz as moment`
        return (await held.execute(tx)).rows[0] ?? {}
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/held',
      summary: 'Hold a time',
      access: 'public',
      query: Closed({ at: Moment('When') }),
      response: { 200: Closed({ at: Type.String() }) },
      handler: (_ctx, { query }) => query,
    }),
  ],
})

describe('what the database cannot hold', () => {
  let t: TestCore
  let token: string
  before(async () => {
    t = await createTestCore({ modules: [...builtinModules, careless], env: { LOG_LEVEL: 'warn' } })
    token = (await createOwner(t, builtinApplication)).token
  })
  after(() => t.close())
  const hold = (body: object) => t.request('POST', '/api/v1/held', { body })

  it('is no time in any filter', async () => {
    let asked = 0
    for (const { method, path, operation } of listOperations(openapiDocument(t.core)))
      for (const parameter of operation.parameters ?? []) {
        if ('$ref' in parameter || parameter.in !== 'query' || parameter.schema.format !== 'date-time') continue
        for (const time of TIMES) {
          const url: string = `${path.replace(/\{\w+\}/g, SOME_ID)}?${new URLSearchParams({ [parameter.name]: time })}`
          const { status, body, text } = await t.request(method, url, { token })
          assert.equal(status, 400, `${url}: ${text}`)
          assert.deepEqual(
            body.errors.map(({ pointer }: { pointer: string }) => pointer),
            [`query/${parameter.name}`],
          )
          asked++
        }
      }
    assert.ok(asked > 6 * TIMES.length, 'there are filters by time')
  })

  it('is no time or day in any body', async () => {
    for (const moment of TIMES) {
      const answer = await hold({ moment })
      assert.deepEqual([answer.status, answer.body.errors?.[0].pointer], [400, '#/moment'], moment)
    }
    for (const day of ['0000-01-01', '2026-02-29', '10000-01-01', 'infinity', 'today'])
      assert.deepEqual([(await hold({ day })).status, day], [400, day])
    for (const body of [{ moment: '0001-01-01T00:00:00Z', day: '0001-01-01' }, { moment: '9999-12-31T23:59:59.999Z' }])
      assert.equal((await hold(body)).status, 200)
  })

  it('is a bad request where only the database notices', async () => {
    for (const body of [
      { small: 2 ** 31 },
      { small: -(2 ** 31) - 1 },
      { large: 2 ** 63 },
      { exact: 1e300 },
      { exact: -1e39 },
    ]) {
      const answer = await hold(body)
      assert.deepEqual([answer.status, answer.body.code], [400, 'invalid_request'], JSON.stringify(body))
    }
    assert.equal((await hold({ small: 2 ** 31 - 1, large: 2 ** 53, exact: 1e38 })).status, 200)
  })

  it('leaves a time that it can hold, in the form of the wire', async () => {
    const { body } = await t.request('GET', '/api/v1/held?at=2026-01-31t13:00:00.5%2B01:00')
    assert.deepEqual(body, { at: '2026-01-31T12:00:00.500Z' })
  })
})
