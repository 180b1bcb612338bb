import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newId } from '#kernel'
import { createAuthCore } from '../auth.fixture.ts'

test('a password of the name that people know the product by is refused', async () => {
  const t = await createAuthCore({
    env: { PUBLIC_URL: 'https://app.bookstall.example', MAIL_FROM: 'Wonder Till <no-reply@example.com>' },
  })
  try {
    const register = (password: string) =>
      t.request('POST', '/api/v1/auth/register', {
        body: { email: `${newId()}@example.com`, password, name: 'Ada Byron', tenant_name: 'Acme' },
      })
    for (const password of ['Bookstall-731', 'b00kst4ll-9173', 'wondertill8271', 'tenantry1234']) {
      const { status, body } = await register(password)
      assert.deepEqual([status, body.errors?.[0]?.pointer], [400, '#/password'], password)
    }
    assert.equal((await register('a bookstall by the river')).status, 201)
  } finally {
    await t.close()
  }
})
