import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createCore, defineModule } from '../index.ts'
import { ConfigError } from '../kernel/config/config.ts'
import { builtinModules } from '../modules/index.ts'
import { createTestCore, type TestCore } from '../testing/index.ts'
import { examine, type Finding } from './doctor-looks.ts'

let t: TestCore
before(async () => {
  t = await createTestCore()
})
after(() => t.close())

/** What the doctor finds of a core that may not serve for these reasons. */
async function lookAtServing(reason: Error | null): Promise<Finding | undefined> {
  const gate = defineModule({
    name: 'gate',
    mayServe: async () => {
      if (reason) throw reason
    },
  })
  const core = await createCore({ config: t.core.config, modules: [...builtinModules, gate], log: t.core.log as never }) // pino, as given there
  try {
    for await (const finding of examine(core)) if (finding.name === 'serving') return finding
    return undefined
  } finally {
    await core.close()
  }
}

test('the doctor tells what keeps a server from serving, each reason by itself', async () => {
  const found = await lookAtServing(new ConfigError(['A is missing.', 'B is wrong.']))
  assert.deepEqual(found?.problems, ['A is missing.', 'B is wrong.'])
  assert.deepEqual((await lookAtServing(new Error('the door is locked')))?.problems.length, 1)
  assert.deepEqual((await lookAtServing(null))?.problems, [])
})
