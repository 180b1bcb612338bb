import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '#kernel'
import type { TestCore } from '../../../testing/index.ts'
import { createAuthCore, login, PASSWORD, type Person, register, statusOf } from '../auth.fixture.ts'

let t: TestCore
before(async () => {
  t = await createAuthCore()
})
after(() => t?.close())

const OTHER = 'another good password of theirs'
const key = newId()
const post = (path: string, token: string, body?: object) =>
  t.request('POST', `/api/v1/auth/${path}`, { token, body, headers: { 'idempotency-key': key } })
const enter = async ({ email }: Person, password = PASSWORD): Promise<string> => {
  const answer = await login(t, email, password)
  assert.equal(answer.status, 200, answer.text)
  return answer.body.access_token
}

for (const path of ['logout', 'logout-all']) {
  test(`${path} ends the session that asks, whatever key another session of the person has sent`, async () => {
    const person = await register(t)
    for (const session of [() => person.token, () => enter(person), () => enter(person)]) {
      const token = await session()
      assert.equal(await statusOf(t, token), 200)
      const answer = await post(path, token)
      assert.deepEqual([answer.status, answer.headers['idempotent-replayed']], [204, undefined])
      assert.equal(await statusOf(t, token), '401 session_revoked')
    }
  })
}

test('a changed password ends the other sessions, whatever key one of these has sent', async () => {
  const person = await register(t)
  const change = { current_password: PASSWORD, new_password: OTHER }
  assert.equal((await post('change-password', person.token, change)).status, 204)
  const back = { current_password: OTHER, new_password: PASSWORD }
  assert.equal((await post('change-password', person.token, back)).status, 204)
  const later = await enter(person)
  assert.equal((await post('change-password', later, change)).status, 204)
  assert.equal(await statusOf(t, later), 200)
  assert.equal(await statusOf(t, person.token), '401 session_revoked')
  await enter(person, OTHER)
})
