import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { Closed, defineModule, defineRoute, newId, Type } from '#kernel'
import { createTestCore, type TestCore } from '../src/testing/index.ts'
import { builtinAuthForTests, toy } from './toy-module.ts'

const { token } = builtinAuthForTests
let written = 0

const guarded = defineModule({
  name: 'guarded',
  routes: [
    defineRoute({
      method: 'POST',
      path: '/guarded',
      summary: 'Count what a header and cookies allow',
      access: 'self',
      transaction: 'manual',
      headers: Type.Object({ 'if-match': Type.Optional(Type.String()) }),
      cookies: Closed({ crumb: Type.Optional(Type.String()), size: Type.Optional(Type.Integer()) }),
      response: { 200: Closed({ count: Type.Integer() }) },
      handler: () => ({ count: ++written }),
    }),
  ],
})

let t: TestCore
before(async () => {
  t = await createTestCore({ modules: [toy, guarded], env: { PUBLIC_URL: 'http://app.example:8080' } })
})
after(() => t?.close())

describe('headers and cookies that a route declares', () => {
  it('are part of what an Idempotency-Key stands for, in any order', async () => {
    const own = { 'idempotency-key': newId(), origin: 'http://app.example:8080' }
    const keyed = (headers: Record<string, string>) =>
      t.request('POST', '/api/v1/guarded', { token: token('a'), headers: { ...own, ...headers } })
    const first = await keyed({ 'if-match': '"1"', cookie: 'crumb=a; size=1' })
    const again = await keyed({ 'if-match': '"1"', cookie: 'other=x; size=1; crumb=a', 'x-other': 'y' })
    assert.deepEqual([again.text, again.headers['idempotent-replayed']], [first.text, 'true'])
    const others: Record<string, string>[] = [
      { 'if-match': '"2"', cookie: 'crumb=a; size=1' },
      { cookie: 'crumb=a; size=1' },
      { 'if-match': '"1"', cookie: 'crumb=b; size=1' },
      { 'if-match': '"1"' },
    ]
    for (const headers of others) {
      const { status, body } = await keyed(headers)
      assert.deepEqual([status, body.code], [422, 'idempotency_key_reused'], JSON.stringify(headers))
    }
  })
})
