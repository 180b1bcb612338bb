import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { AppError, conflict, defineError, defineModule, defineRoute, newId, type ProblemDetails, sql } from '#kernel'
import { problemDocument, toAppError } from '../src/kernel/http/problem.ts'
import { type Person, register } from '../src/modules/auth/auth.fixture.ts'
import { builtinModules } from '../src/modules/index.ts'
import { createTestCore, type TestCore } from '../src/testing/index.ts'
import { tills } from './till-module.ts'

/** Breaks a rule of a table that row-level security does not keep PostgreSQL from quoting. */
const twins = defineModule({
  name: 'twins',
  routes: [
    defineRoute({
      method: 'POST',
      path: '/twins',
      summary: 'Be there twice',
      access: 'self',
      idempotent: false,
      response: { 204: null },
      handler: async ({ tx, userId }) => {
        const columns = sql.raw(
          'id, created_at, updated_at, email, email_normalized, name, locale, timezone, two_factor_enabled, status',
        )
        await sql`insert into users (${columns}) select ${columns} from users where id = ${userId}`.execute(tx)
      },
    }),
  ],
})

let test: TestCore
let owner: Person
before(async () => {
  test = await createTestCore({ modules: [...builtinModules, tills, twins], env: { RATE_LIMIT_FACTOR: '0' } })
  owner = await register(test)
})
after(() => test?.close())

const send = (method: string, path: string, body?: unknown) =>
  test.request(method, `/api/v1${path}`, { token: owner.token, body })

describe('a rule of the database that no operation expected to be broken', () => {
  it('is a conflict or a bad value, never a fault of ours', async () => {
    const store = (await send('POST', '/stores', { name: 'With a till' })).body
    const till = { store_id: store.id, label: 'SECRET-LABEL', coins: 1 }
    assert.equal((await send('POST', '/tills', till)).status, 201)
    const before = test.logs.length
    const answers = [
      await send('DELETE', `/stores/${store.id}`),
      await send('POST', '/tills', { ...till, label: 'other', store_id: newId() }),
      await send('POST', '/tills', till),
      await send('POST', '/tills', { ...till, label: 'other', coins: -1 }),
    ]
    assert.deepEqual(
      answers.map(({ status, body }) => [status, body.code]),
      [
        [409, 'conflict'],
        [409, 'conflict'],
        [409, 'conflict'],
        [400, 'invalid_request'],
      ],
    )
    assert.equal((await send('GET', `/stores/${store.id}`)).status, 200, 'and nothing was changed')
    const lines = test.logs.slice(before).join('')
    for (const name of ['tills_store_fkey', 'tills_label_key', 'tills_coins_check'])
      assert.match(lines, new RegExp(name))
    assert.ok(!lines.includes('SECRET-LABEL'), 'the log quotes the row')
  })

  it('is logged without the row also where PostgreSQL shows it: in tables of no tenant', async () => {
    const before = test.logs.length
    const { status, body } = await send('POST', '/twins')
    assert.deepEqual([status, body.code], [409, 'conflict'])
    const lines = test.logs.slice(before).join('')
    assert.match(lines, /users_pkey/)
    assert.doesNotMatch(lines, /already exists|Key \(/)
  })

  it('says nothing to the caller of tables, names and rows', async () => {
    const { body } = await send('POST', '/tills', { store_id: newId(), label: 'x', coins: 1 })
    assert.ok(!/tills|fkey|store_id/.test(body.detail), body.detail)
  })

  it('is never told in the words of the database, nor is any other fault', () => {
    for (const error of [
      new Error('password hunter2 is wrong'),
      Object.assign(new Error('hunter2'), { code: '42P01' }),
    ]) {
      const problem = toAppError(error)
      assert.equal(problem.code, 'internal_error')
      assert.doesNotMatch(JSON.stringify(problemDocument(problem, 'r')), /hunter2/)
    }
  })

  it('is told apart from a row that no partition takes', () => {
    const missing = Object.assign(new Error('no partition of relation "things" found for row'), { code: '23514' })
    assert.equal(toAppError(missing).code, 'internal_error')
    const known = Object.assign(new Error('new row violates check constraint "x"'), { code: '23514' })
    assert.equal(toAppError(known).code, 'invalid_request')
    for (const code of ['toString', 'constructor', '__proto__'])
      assert.equal(toAppError(Object.assign(new Error('odd'), { code })).code, 'internal_error')
  })
})

describe('a problem', () => {
  const full = defineError('full', 409, 'No room is left')
  const reserved = ['type', 'title', 'status', 'detail', 'instance', 'code', 'request_id', 'errors']

  it('has all of its six members whatever was thrown', () => {
    for (const details of [{}, { detail: 'Said so' }, { errors: [{ pointer: '#/a', detail: 'is odd' }] }])
      for (const [name, value] of Object.entries(problemDocument(full(details), 'r')))
        assert.ok(value !== undefined && value !== '', name)
    assert.equal(problemDocument(full(), 'r').detail, 'No room is left')
    const errors = ['a', 'b', 'c'].map((name) => ({ pointer: `#/${name}`, detail: 'is odd' }))
    assert.equal(problemDocument(full({ errors }), 'r').detail, '#/a is odd, and 2 more')
  })

  it('cannot be made to say something else of itself by its extra members', () => {
    for (const name of reserved) {
      const members = { [name]: 'mine', room: 5 } as ProblemDetails['members'] // wrong on purpose
      assert.throws(() => conflict({ members }), new RegExp(`conflict cannot have members named ${name}`))
      // Even one that came about in another way.
      const sneaked = Object.assign(Object.create(AppError.prototype), { kind: full, details: { members } })
      const { room, ...document } = problemDocument(sneaked, 'r')
      assert.deepEqual([room, document], [5, problemDocument(full(), 'r')])
    }
  })
})
