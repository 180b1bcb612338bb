import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { readList } from '../../../kernel/rates/structured-list.fixture.ts'
import type { Answered, TestCore } from '../../../testing/index.ts'
import { createAuthCore, PASSWORD, register } from '../auth.fixture.ts'

let t: TestCore
beforeEach(async () => {
  t = await createAuthCore({ rateLimits: true, env: { TRUSTED_PROXIES: '127.0.0.0/8' } })
})
afterEach(() => t.close())

const send = (path: string, body: object, from = '192.0.2.1') =>
  t.request('POST', `/api/v1/auth${path}`, { body, headers: { 'x-forwarded-for': from } })
const namesOf = ({ headers }: Answered) => readList(headers['ratelimit-policy']).map(({ name }) => name)
const outcomes = (answers: readonly Answered[]) =>
  answers.map(({ status, body }) => `${status} ${body.code ?? ''}`.trim())

async function repeat(amount: number, ask: (turn: number) => Promise<Answered>): Promise<Answered[]> {
  const answers: Answered[] = []
  for (let turn = 0; turn < amount; turn++) answers.push(await ask(turn))
  return answers
}

const password = PASSWORD
const STRICT: [path: string, body: object][] = [
  ['/login', { email: 'nobody@example.com', password }],
  ['/register', { email: 'somebody@example.com', password, name: 'Some Body', tenant_name: 'Some' }],
  ['/forgot-password', { email: 'nobody@example.com' }],
  ['/reset-password', { token: 'x'.repeat(43), password }],
  ['/accept-invite', { token: 'x'.repeat(43) }],
  ['/verify-email', { token: 'x'.repeat(43) }],
  [
    '/bootstrap',
    { bootstrap_token: 'not the token of this one', email: 'admin@example.com', password, name: 'Ad Min' },
  ],
]

describe('what proves who somebody is', () => {
  it('counts strictly, and by the account where the body names one', async () => {
    for (const [at, [path, body]] of STRICT.entries()) {
      const answer = await send(path, body, `192.0.2.${at + 10}`)
      const { q } = readList(answer.headers['ratelimit-policy'])[0]!
      assert.deepEqual([path, namesOf(answer), q], [path, 'email' in body ? ['auth', 'auth_account'] : ['auth'], 10])
    }
  })

  it('is refused from an address after ten, whatever is asked for, and goes on elsewhere', async () => {
    const person = await register(t)
    const answers = await repeat(12, (turn) => send('/forgot-password', { email: `p${turn}@example.com` }))
    assert.deepEqual(outcomes(answers), [...Array(10).fill('202'), ...Array(2).fill('429 rate_limited')])
    const signIn = { email: person.email, password }
    assert.deepEqual(outcomes([await send('/login', signIn)]), ['429 rate_limited'])
    assert.deepEqual(outcomes([await send('/login', signIn, '192.0.2.2')]), ['200'])
  })

  it('sends no more mails than that to an address that somebody else owns', async () => {
    const { email } = await register(t)
    const answers = await repeat(25, () => send('/register', { email, password, name: 'X', tenant_name: 'X' }))
    assert.equal(answers.filter(({ status }) => status === 409).length, 5)
    assert.deepEqual(answers[5]?.body.violated_policies, ['auth_account'])
  })

  it('locks nobody out who comes from elsewhere', async () => {
    const { email } = await register(t)
    await repeat(6, () => send('/login', { email, password: 'a wrong password' }))
    assert.equal((await send('/login', { email, password })).status, 429)
    assert.equal((await send('/login', { email, password }, '192.0.2.2')).status, 200)
  })

  it('leaves the exchange of tokens among public requests', async () => {
    const answers = await repeat(20, () => send('/refresh', { refresh_token: 'wrong' }))
    assert.deepEqual(namesOf(answers[0]!), ['public'])
    assert.deepEqual([...new Set(outcomes(answers))], ['401 invalid_refresh_token'])
  })
})
