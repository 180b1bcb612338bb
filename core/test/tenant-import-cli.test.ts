import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { exportBySystem, importInto } from '../src/modules/tenant-exports/import/import.fixture.ts'
import { createTestCore, type TestCore, type TestTenant } from '../src/testing/index.ts'
import { runInProcess } from './run-in-process.ts'

const APP_SECRET = 'a-secret-of-this-test-alone-0123456789'

describe('tenantry tenant import', () => {
  let from: TestCore
  let to: TestCore
  let tenant: TestTenant
  let path = ''
  before(async () => {
    from = await createTestCore({ env: { APP_SECRET } })
    to = await createTestCore()
    tenant = await from.foundTenant({ name: 'Blue Bottle' })
    path = join(from.dataDir, 'export.zip')
    await writeFile(path, (await exportBySystem(from, tenant.id)).zip)
  })
  after(async () => {
    await to?.close()
    await from?.close()
  })

  const run = (command: string, into = to) => {
    const { appUrl, systemUrl, ownerUrl } = into.database
    const env = {
      ...{ DATABASE_URL: appUrl, DATABASE_SYSTEM_URL: systemUrl, DATABASE_OWNER_URL: ownerUrl },
      ...{ DATA_DIR: into.dataDir, NODE_ENV: 'test', LOG_LEVEL: 'silent' },
      APP_SECRET,
    }
    return runInProcess(`tenant ${command}`.trim(), { env })
  }
  const count = async () =>
    (await to.core.db.systemQuery<{ count: number }>('select count(*)::int as count from tenants'))[0]?.count

  test('says what is wrong with its arguments', async () => {
    for (const [args, code, problem] of [
      ['', 2, /the file is missing/],
      [`${path} more`, 2, /Unexpected argument 'more'/],
      [`${path} --abandon x`, 2, /--abandon takes the tenant, and no file/],
      [`${path} --slug A_B`, 1, /the slug A_B is none/],
      [`${path} --slug 01926f3c-7b1e-7cc3-98c4-dc0c0c07398f`, 1, /has the form of an id/],
      [`${path} --owner nobody`, 1, /nobody is no e-mail address/],
      ['--abandon nothing', 1, /no import of nothing is under way/],
      ['/nowhere/export.zip', 1, /ENOENT/],
    ] as const) {
      const done = await run(`import ${args}`)
      assert.equal(done.code, code, args)
      assert.match(done.err, problem)
      // A refusal is a sentence.
      assert.ok(!/\n\s+at /.test(done.err), done.err)
    }
  })

  test('checks without writing, then reads the tenant in, and refuses it the second time', async () => {
    const dry = await run(`import ${path} --dry-run`)
    assert.deepEqual([dry.code, dry.err], [0, ''])
    assert.match(dry.out, /Blue Bottle \(.+\) can be imported as blue-bottle: \d+ rows of 20 tables, 0 files\./)
    assert.match(dry.out, /0 have an account, 1 get one without a password\. All are invited\./)
    assert.match(
      dry.out,
      /It was active, with the plan \w+ where it comes from; here it is active, with the plan of a new tenant/,
    )
    assert.match(dry.out, /Nothing was written\./)
    assert.equal(await count(), 0)
    const done = await run(`import ${path} --slug bottle --plan business`)
    assert.deepEqual([done.code, done.err], [0, ''])
    assert.match(done.out, /Checking …\n[\s\S]*Writing …\n[\s\S]*is here as bottle: /)
    assert.match(done.out, /once they accept the invitation that is mailed to them/)
    assert.equal(await count(), 1)
    const again = await run(`import ${path}`)
    assert.equal(again.code, 1)
    assert.match(again.err, new RegExp(`the tenant ${tenant.id} is here already`))
  })

  test('takes away what came of one that is not complete', async () => {
    const other = await from.foundTenant({ name: 'Second Cup' })
    const file = join(from.dataDir, 'other.zip')
    await writeFile(file, (await exportBySystem(from, other.id)).zip)
    const progress = { begins: () => {}, passed: () => {}, note: () => {} }
    await assert.rejects(importInto(to, file, { stopping: AbortSignal.abort(), progress }))
    const begun = new AbortController()
    progress.begins = (what?: string) => void (what === 'write' && begun.abort())
    await assert.rejects(importInto(to, file, { stopping: begun.signal, progress }))
    const done = await run('import --abandon second-cup')
    assert.deepEqual([done.code, done.err], [0, ''])
    assert.match(done.out, new RegExp(`What came of the import of ${other.id} is gone, with 0 files and 1 account\\.`))
    assert.equal(await count(), 1)
  })

  test('brings rows back by tenant restore, and says by table what', async () => {
    for (const [args, code, problem] of [
      ['', 2, /--tenant is required/],
      ['--tenant blue-bottle', 2, /--from is required/],
      [`--tenant blue-bottle --from ${path} --tables a,,b`, 2, /--tables takes names/],
      [`--tenant nobody --from ${path}`, 1, /there is no tenant nobody/],
    ] as const) {
      const done = await run(`restore ${args}`.trim(), from)
      assert.equal(done.code, code, args)
      assert.match(done.err, problem)
    }
    await from.core.db.systemQuery('delete from role_assignments where tenant_id = $1', [tenant.id])
    const command = `restore --tenant blue-bottle --from ${path} --tables role_assignments`
    const dry = await run(`${command} --dry-run`, from)
    assert.match(dry.out, /role_assignments\s+1\s+0\s+0\s+0\nNothing was written\./)
    const done = await run(command, from)
    assert.deepEqual([done.code, done.err], [0, ''])
    assert.match(
      done.out,
      /role_assignments\s+1\s+0\s+0\s+0\nBrought back: blue-bottle \(.+\) as of .+\. Rows that came since have stayed\./,
    )
    assert.equal((await tenant.owner.get('/stores')).status, 200)
  })
})
