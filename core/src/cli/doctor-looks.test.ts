import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createCore, defineModule, type ModuleSpec } from '../index.ts'
import { ConfigError } from '../kernel/config/config.ts'
import { builtinModules } from '../modules/index.ts'
import { mail } from '../modules/mail/index.ts'
import { createTestCore, type TestCore } from '../testing/index.ts'
import { messageFolder } from '../testing/message-folder.ts'
import { examine, type Finding } from './doctor-looks.ts'

let t: TestCore
before(async () => {
  t = await createTestCore()
})
after(() => t.close())

/** What the doctor finds of a core with one module more. */
async function lookAt(name: string, module: Omit<ModuleSpec, 'name'>): Promise<Finding | undefined> {
  const modules = [...builtinModules, defineModule({ ...module, name: 'gate' })]
  const core = await createCore({ config: t.core.config, modules, log: t.core.log as never }) // pino, as given there
  try {
    for await (const finding of examine(core)) if (finding.name === name) return finding
    return undefined
  } finally {
    await core.close()
  }
}

/** Of one that may not serve for these reasons. */
const lookAtServing = (reason: Error | null) =>
  lookAt('serving', {
    mayServe: async () => {
      if (reason) throw reason
    },
  })

test('the doctor tells what keeps a server from serving, each reason by itself', async () => {
  const found = await lookAtServing(new ConfigError(['A is missing.', 'B is wrong.']))
  assert.deepEqual(found?.problems, ['A is missing.', 'B is wrong.'])
  assert.deepEqual((await lookAtServing(new Error('the door is locked')))?.problems.length, 1)
  assert.deepEqual((await lookAtServing(null))?.problems, [])
})

test('the doctor names languages that are there in part, which is no problem', async () => {
  const messages = messageFolder({ fr: { 'mail.greeting': 'Bonjour,' }, 'de-CH': { 'mail.greeting': 'Grüezi' } })
  const found = await lookAt('languages', { dependsOn: [mail], messages })
  assert.deepEqual(found?.problems, [])
  assert.match(
    found.fine ?? '',
    /^complete in de, de-CH, en; fr lacks \d+ of \d+ texts, which are read in English \((mail\.[\w.]+, ){5}…\)$/,
  )
})
