import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import pg from 'pg'
import { createTestDatabase, type TestTemplate } from './cluster.ts'
import { getTestServer } from './server.ts'
import { dropDatabase, dropDeadDatabases, templateName, withServer } from './test-databases.ts'

test('many databases from one template: prepared once, each its own', async () => {
  let prepared = 0
  const template: TestTemplate = {
    key: `try_${randomBytes(4).toString('hex')}`,
    prepare: async ({ ownerUrl }) => {
      prepared++
      await query(ownerUrl, 'create table core.things as select 1 as id')
      await query(ownerUrl, 'grant select, insert on core.things to tenantry_test_app')
    },
  }
  const databases = await Promise.all(Array.from({ length: 4 }, () => createTestDatabase({ template })))
  assert.equal(prepared, 1)
  const [first, second] = databases
  assert.ok(first && second)
  await query(first.appUrl, 'insert into things values (2)')
  assert.equal((await query(first.appUrl, 'select id from things')).length, 2)
  assert.equal((await query(second.appUrl, 'select id from things')).length, 1)
  const owners = await query(
    second.superuserUrl,
    'select pg_get_userbyid(datdba) as owner from pg_database where datname = current_database()',
  )
  assert.deepEqual(owners, [{ owner: 'tenantry_test_owner' }])
  await Promise.all(databases.map((database) => database.drop()))
  await assert.rejects(query(first.appUrl, 'select 1'), { code: '3D000' })
  await dropTemplateOf(template.key)
})

test('a template whose preparation failed is begun again', async () => {
  const key = `fail_${randomBytes(4).toString('hex')}`
  const prepare = async ({ ownerUrl }: { ownerUrl: string }) => {
    await query(ownerUrl, 'create table core.half (id int)')
    throw new Error('interrupted')
  }
  await assert.rejects(createTestDatabase({ template: { key, prepare } }), { message: 'interrupted' })
  const database = await createTestDatabase({ template: { key, prepare: async () => undefined } })
  assert.deepEqual(await query(database.ownerUrl, "select to_regclass('core.half') as half"), [{ half: null }])
  await database.drop()
  await dropTemplateOf(key)
})

test('dropping leftovers takes what dead processes made, and leaves what is in use', async () => {
  const [alive, dead] = [await createTestDatabase(), await createTestDatabase()]
  const rows = await query(
    alive.superuserUrl,
    `select shobj_description(oid, 'pg_database') as comment from pg_database where datname = '${dead.name}'`,
  )
  const comment = JSON.stringify({ ...JSON.parse(rows[0].comment), mark: 'another life' })
  await query(alive.superuserUrl, `comment on database ${dead.name} is ${pg.escapeLiteral(comment)}`)
  const dropped = await dropDeadDatabases(await getTestServer())
  assert.ok(dropped.includes(dead.name))
  assert.ok(!dropped.includes(alive.name))
  await query(alive.appUrl, 'select 1')
  await assert.rejects(query(dead.appUrl, 'select 1'), { code: '3D000' })
  await alive.drop()
})

async function dropTemplateOf(key: string): Promise<void> {
  await withServer(await getTestServer(), (server) => dropDatabase(server, templateName(key)))
}

async function query(connectionString: string, sql: string) {
  const client = new pg.Client({ connectionString })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}
