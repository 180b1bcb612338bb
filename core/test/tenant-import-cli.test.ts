import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { exportBySystem } from '../src/modules/tenant-exports/import/import.fixture.ts'
import { createTestCore, type TestCore, type TestTenant } from '../src/testing/index.ts'
import { runInProcess } from './run-in-process.ts'

describe('tenantry tenant import', () => {
  let from: TestCore
  let to: TestCore
  let tenant: TestTenant
  let path = ''
  before(async () => {
    from = await createTestCore()
    to = await createTestCore()
    tenant = await from.foundTenant({ name: 'Blue Bottle' })
    path = join(from.dataDir, 'export.zip')
    await writeFile(path, (await exportBySystem(from, tenant.id)).zip)
  })
  after(async () => {
    await to?.close()
    await from?.close()
  })

  const run = (command: string) => {
    const { appUrl, systemUrl, ownerUrl } = to.database
    const env = {
      ...{ DATABASE_URL: appUrl, DATABASE_SYSTEM_URL: systemUrl, DATABASE_OWNER_URL: ownerUrl },
      ...{ DATA_DIR: to.dataDir, NODE_ENV: 'test', LOG_LEVEL: 'silent' },
      APP_SECRET: 'a-secret-of-this-test-alone-0123456789',
    }
    return runInProcess(`tenant import ${command}`.trim(), { env })
  }
  const count = async () =>
    (await to.core.db.systemQuery<{ count: number }>('select count(*)::int as count from tenants'))[0]?.count

  test('says what is wrong with its arguments', async () => {
    for (const [args, problem] of [
      ['', /the file is missing/],
      [`${path} --slug A_B`, /--slug takes lower-case letters/],
      [`${path} --slug 01926f3c-7b1e-7cc3-98c4-dc0c0c07398f`, /and no UUID/],
      [`${path} more`, /Unexpected argument 'more'/],
    ] as const) {
      const { code, err } = await run(args)
      assert.equal(code, 2)
      assert.match(err, problem)
    }
    const absent = await run('/nowhere/export.zip')
    assert.equal(absent.code, 1)
    assert.match(absent.err, /ENOENT/)
  })

  test('checks without writing, then reads the tenant in, and refuses it the second time', async () => {
    const dry = await run(`${path} --dry-run`)
    assert.deepEqual([dry.code, dry.err], [0, ''])
    assert.match(
      dry.out,
      /Blue Bottle \(.+\) can be imported as blue-bottle: \d+ rows of 20 tables, 0 files, 1 people\. Nothing was written\./,
    )
    assert.equal(await count(), 0)
    const done = await run(`${path} --slug bottle`)
    assert.deepEqual([done.code, done.err], [0, ''])
    assert.match(done.out, /Checking …\n[\s\S]*Writing …\n[\s\S]*is here as bottle: /)
    assert.equal(await count(), 1)
    const again = await run(path)
    assert.equal(again.code, 1)
    assert.match(again.err, new RegExp(`the tenant ${tenant.id} is here already`))
  })
})
