import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { defineModule } from '#kernel'
import { kernelModule } from '../src/kernel/probes.ts'
import { builtinModules } from '../src/modules/index.ts'
import { TEST_SECRET } from '../src/testing/core.ts'
import { type Cases, createTestCore, type TestCore } from '../src/testing/index.ts'
import { loadCases } from '../src/testing/isolation/cases.ts'
import { toy } from './toy-module.ts'

const bringing = (cases: Cases) => ({ ...toy, cases: async () => ({ default: cases }) })

describe('the cases of modules', () => {
  it('are brought by every module that has routes', () => {
    const without = [kernelModule, ...builtinModules].filter(({ routes, cases }) => routes.length > 0 && !cases)
    assert.deepEqual(
      without.map(({ name }) => name),
      [],
    )
  })

  it('are told together, and what is told beside them stands over them', async () => {
    const one = bringing({ ids: { a_id: '/toys' }, routes: { 'GET /toys': { unproven: 'one', exempt: 'one' } } })
    const other = defineModule({ name: 'other', cases: async () => ({ default: { ids: { b_id: null } } }) })
    const all = await loadCases([one, other], { ids: { a_id: null }, routes: { 'GET /toys': { unproven: 'beside' } } })
    assert.deepEqual(all.ids, { a_id: null, b_id: null })
    assert.deepEqual(all.routes, { 'GET /toys': { unproven: 'beside', exempt: 'one' } })
    assert.deepEqual(all.problems, [])
  })

  it('are of routes that the module has', async () => {
    const told = { routes: { 'GET /gone': {} } }
    assert.deepEqual((await loadCases([bringing(told)], told)).problems, [
      'GET /gone: the cases of toy are about it, and there is no such route',
      'GET /gone: `cases` are about it, and there is no such route',
    ])
  })
})

describe('a core that serves and works', () => {
  let test: TestCore
  before(async () => {
    test = await createTestCore()
  })
  after(() => test.close())

  it('loads no cases, and nothing that is for tests', async () => {
    const { appUrl, systemUrl, ownerUrl } = test.database
    const env = {
      PATH: process.env.PATH,
      NODE_ENV: 'test',
      APP_SECRET: TEST_SECRET,
      LOG_LEVEL: 'silent',
      DATABASE_URL: appUrl,
      DATABASE_SYSTEM_URL: systemUrl,
      DATABASE_OWNER_URL: ownerUrl,
      DATA_DIR: test.dataDir,
    }
    const script = fileURLToPath(new URL('./loading-core.fixture.ts', import.meta.url))
    const { stdout } = await promisify(execFile)(process.execPath, [script], { env })
    const loaded: string[] = JSON.parse(stdout)
    assert.ok(loaded.includes('modules/stores/index.ts'), stdout)
    assert.deepEqual(
      loaded.filter((file) => /\.cases\.ts$|^testing\//.test(file)),
      [],
    )
  })
})
