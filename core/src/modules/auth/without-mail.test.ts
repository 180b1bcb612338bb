import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '#kernel'
import { drainJobs } from '../../testing/drain-jobs.ts'
import type { TestCore } from '../../testing/index.ts'
import { listMailbox } from '../mail/mailbox.ts'
import { createAuthCore, login, OTHER_PASSWORD, PASSWORD, register, registerUnproven } from './auth.fixture.ts'

let t: TestCore
before(async () => {
  t = await createAuthCore({ env: { MAIL: 'off' } })
})
after(() => t?.close())

const post = (path: string, body: object | undefined, token?: string) =>
  t.request('POST', `/api/v1/${path}`, { body, token })

test('where no mail is sent, people register and change their password, and no mail is written', async () => {
  const person = await register(t)
  const change = { current_password: PASSWORD, new_password: OTHER_PASSWORD }
  assert.equal((await post('auth/change-password', change, person.token)).status, 204)
  assert.equal((await login(t, person.email, OTHER_PASSWORD)).status, 200)
  await drainJobs(t.core, person.tenantId)
  await drainJobs(t.core, null)
  assert.deepEqual(await listMailbox(t.dataDir), [])
})

test('where no mail is sent, nobody has to prove an address to add people with a password', async () => {
  const person = await registerUnproven(t)
  const added = { email: `${newId()}@example.com`, name: 'Ann', password: OTHER_PASSWORD }
  const { status, body } = await post('users', added, person.token)
  assert.deepEqual([status, body.status], [201, 'active'])
})

test('what is of no use without a mail says so, and says the same to everybody', async () => {
  const person = await register(t)
  const asked = [
    await post('auth/forgot-password', { email: person.email }),
    await post('auth/forgot-password', { email: `${newId()}@example.com` }),
    await post('auth/resend-verification', undefined, person.token),
    await post('users/invite', { email: `${newId()}@example.com` }, person.token),
    await post('users', { email: `${newId()}@example.com`, name: 'Ann' }, person.token),
  ]
  for (const { status, body } of asked)
    assert.deepEqual([status, body.code, /MAIL=off/.test(body.detail)], [503, 'unavailable', true])
  const { body } = await t.request('GET', '/api/v1/users', { token: person.token })
  assert.equal(body.data.length, 1, 'nobody was invited')
})
