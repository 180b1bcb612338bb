import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { defineConfiguration, defineModule, defineRoute, kinds, Type } from '#kernel'
import { createCore } from '../src/create-core.ts'
import { loadConfig } from '../src/kernel/config/config.ts'
import { createTestDatabase, type TestDatabase } from '../src/testing/cluster.ts'
import { createTestCore, TEST_SECRET } from '../src/testing/core.ts'
import { cleanUp, makeFolder, runCli } from './run-cli.ts'

const program = fileURLToPath(new URL('./configured-main.fixture.ts', import.meta.url))
const SECRET = 'sk_that_nobody_may_see'

describe("an application's own settings, on the command line", () => {
  let database: TestDatabase
  let env: Record<string, string>
  let cwd: string
  before(async () => {
    database = await createTestDatabase()
    cwd = await makeFolder()
    env = {
      DATABASE_URL: database.appUrl,
      DATABASE_SYSTEM_URL: database.systemUrl,
      DATABASE_OWNER_URL: database.ownerUrl,
      APP_SECRET: TEST_SECRET,
    }
  })
  after(async () => {
    await cleanUp()
    await database.drop()
  })

  it('are checked by every command, with the others', async () => {
    const wrong = { ...env, PORT: 'x', STRIPE_RETRIES: 'often' }
    const ends = await Promise.all(
      ['doctor', 'migrate', 'serve', 'worker', 'start'].map((command) => runCli(command, { env: wrong, cwd, program })),
    )
    for (const { code, out, err } of ends) {
      assert.equal(code, 1)
      for (const start of ['PORT must be', 'STRIPE_RETRIES must be', 'STRIPE_SECRET is required'])
        assert.ok(`${out}${err}`.includes(start), `${start}\n${out}${err}`)
    }
  })

  it('are explained by doctor where they are wrong, since the page of settings has the core’s only', async () => {
    const page = /docs\/configuration\.md of Tenantry explains the settings of the core/
    const own = await runCli('doctor', {
      env: { ...env, STRIPE_SECRET: SECRET, STRIPE_RETRIES: 'often' },
      cwd,
      program,
    })
    assert.match(own.out, /\n {9}Correct the environment or \.env\.\n {9}STRIPE_RETRIES \(billing\): \S/)
    assert.doesNotMatch(own.out, /docs\/|STRIPE_SECRET/)
    const both = await runCli('doctor', { env: { ...env, PORT: 'x' }, cwd, program })
    assert.match(both.out, page)
    assert.match(both.out, /\n {9}STRIPE_SECRET \(billing\): \S/)
  })

  it('are shown by doctor, without what they are', async () => {
    const { out, err } = await runCli('doctor', { env: { ...env, STRIPE_SECRET: SECRET }, cwd, program })
    assert.match(out, / ok {5}configuration of billing: STRIPE_SECRET is set, STRIPE_RETRIES has its default\n/)
    assert.doesNotMatch(out + err, new RegExp(SECRET))
  })
})

describe("an application's own settings, in its core", () => {
  const shop = defineConfiguration({ SHOP_GREETING: { kind: kinds.text(), default: 'Hello', description: 'A word.' } })
  const module = defineModule({
    name: 'shop',
    configuration: shop,
    routes: [
      defineRoute({
        method: 'GET',
        path: '/greeting',
        summary: 'Greet',
        access: 'public',
        response: { 200: Type.Object({ says: Type.String() }) },
        handler: ({ config }) => ({ says: config.of(shop).SHOP_GREETING }),
      }),
    ],
  })

  it('are read by a handler', async (t) => {
    const test = await createTestCore({ modules: [module], env: { SHOP_GREETING: 'Grüezi' } })
    t.after(() => test.close())
    assert.deepEqual((await test.request('GET', '/api/v1/greeting')).body, { says: 'Grüezi' })
  })

  it('refuse a core that was given a configuration without them', async () => {
    const config = loadConfig({
      APP_SECRET: TEST_SECRET,
      DATABASE_URL: 'postgres://a@127.0.0.1:1/a',
      DATABASE_SYSTEM_URL: 'postgres://b@127.0.0.1:1/a',
    })
    await assert.rejects(createCore({ config, modules: [module] }), /Nobody has read SHOP_GREETING/)
  })
})
