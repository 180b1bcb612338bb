import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createTestCore, type TestCore } from '../../../testing/index.ts'
import { hashPasswordsCheaply, passwordHasher } from './hash.ts'

let t: TestCore
before(async () => {
  t = await createTestCore()
})
after(() => t.close())

test('passwords are hashed cheaply in tests alone', async () => {
  assert.match(await t.core.use(passwordHasher).hash('x'), /m=8,t=1,p=1/)
  for (const env of ['development', 'production'] as const)
    assert.throws(() => hashPasswordsCheaply({ ...t.core, config: { ...t.core.config, env } }), /in tests alone/)
})
