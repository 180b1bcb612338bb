import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, beforeEach, describe, test } from 'node:test'
import { DAYS, HOURS, newId, sql } from '#kernel'
import { createTestCore, SOME_PICTURE, type TestCore, type TestPerson, type TestTenant } from '../../testing/index.ts'
import { changeMember, removeMember } from '../members/index.ts'
import { removeExpiredExports } from './sweep.ts'
import { download, exportTenant, PATH } from './tenant-exports.fixture.ts'

let t: TestCore
let tenant: TestTenant
let owner: TestPerson
before(async () => {
  t = await createTestCore()
})
after(() => t?.close())
beforeEach(async () => {
  tenant = await t.foundTenant({ plan: 'business' })
  owner = tenant.owner
})

const sha256 = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex')
const upload = async (content: string, name = 'note.txt') => {
  const file = { name, content, type: 'text/plain' }
  const { body } = await owner.request('POST', '/files', { form: { fields: {}, file } })
  return body
}
const stored = async (): Promise<string[]> => {
  const keys: string[] = []
  for await (const { key } of t.core.storage.list(`exports/${tenant.id}`)) keys.push(key)
  return keys
}
/** What records say of exports of the tenant, the oldest first. */
const recorded = async () => {
  const { data } = (await owner.get('/audit?action=tenant.*&limit=100')).body
  return data.map(({ action, actor }: { action: string; actor: { label: string } }) => [action, actor.label]).reverse()
}

describe('an export', () => {
  test('has every row of the tenant, and none of another', async () => {
    const other = await t.foundTenant({ plan: 'business' })
    await other.owner.post('/stores', { name: 'Elsewhere' })
    const store = (await owner.post('/stores', { name: 'Kürbis & Söhne', code: 'K1' })).body
    const { manifest, entries, rows, zip } = await exportTenant(t, tenant)

    has(manifest, { format: 'tenantry.tenant-export', format_version: 1, tenant: { id: tenant.id, name: tenant.name } })
    has(
      rows('stores').find(({ id }) => id === store.id),
      { name: 'Kürbis & Söhne', code: 'K1', tenant_id: tenant.id },
    )
    for (const { name, rows: count, entry, bytes, sha256: sum, columns } of manifest.tables) {
      const content = entries.get(entry)
      assert.deepEqual([content?.length, sha256(content ?? '')], [bytes, sum], name)
      assert.equal(rows(name).length, count, name)
      const key = name === 'tenants' ? 'id' : 'tenant_id'
      for (const row of rows(name)) {
        assert.equal(row[key], tenant.id, name)
        assert.deepEqual(
          Object.keys(row),
          columns.map(({ name }) => name),
          name,
        )
      }
    }
    // Everything but what happened since, which the export itself has caused.
    for (const name of ['stores', 'roles', 'members', 'role_assignments', 'subscriptions'])
      assert.equal(rows(name).length, await countRows(name), name)
    const names = [...manifest.tables, ...manifest.left_out].map(({ name }) => name).sort()
    assert.deepEqual(names, await tenantTables())
    assert.ok(![...entries.values()].some((content) => content.includes(other.id)))
    assert.equal(sha256(zip), (await owner.get(PATH)).body.checksum_sha256)
  })

  test('says when each table was last changed, and puts each behind those that it refers to', async () => {
    const { manifest } = await exportTenant(t, tenant)
    const versions = Object.fromEntries(
      manifest.tables.map(({ name, module, schema_version }) => [name, [module, schema_version]]),
    )
    assert.deepEqual(versions.files, ['files', 2])
    assert.deepEqual(versions.audit_logs?.[0], 'kernel')
    const order = manifest.tables.map(({ name }) => name)
    const isBefore = (one: string, other: string) => order.indexOf(one) < order.indexOf(other)
    assert.ok(
      isBefore('tenants', 'members') && isBefore('roles', 'role_assignments') && isBefore('stores', 'role_assignments'),
    )
    assert.ok(isBefore('invitations', 'invitation_roles') && isBefore('api_keys', 'api_key_usage'))
  })

  test('has no secret, sealed or hashed', async () => {
    const webhook = { url: 'https://example.com/hook', events: ['*'], headers: { 'X-Key': 'very-secret-header' } }
    const { secret } = (await owner.post('/webhooks', webhook)).body
    const { key } = (await owner.post('/api-keys', { name: 'Till', scopes: ['store.view'] })).body
    assert.ok(typeof secret === 'string' && typeof key === 'string')
    await owner.post('/users/invite', { email: `${newId()}@example.com`, name: 'Ina Invited', roles: [] })
    const { entries, rows } = await exportTenant(t, tenant)
    const [hash] = await t.core.db.systemQuery<{ hash: string }>(
      "select encode(key_hash, 'hex') as hash from api_key_hashes where tenant_id = $1",
      [tenant.id],
    )
    const [invitation] = await t.core.db.systemQuery<{ hash: string }>(
      "select encode(token_hash, 'hex') as hash from invitations where tenant_id = $1",
      [tenant.id],
    )
    const [sealed] = await t.core.db.systemQuery<{ secret: string; headers: string }>(
      'select secret, headers from webhooks where tenant_id = $1',
      [tenant.id],
    )
    const secrets = [secret, key, 'very-secret-header', hash?.hash, invitation?.hash, sealed?.secret, sealed?.headers]
    for (const each of secrets) {
      assert.ok(each)
      assert.ok(![...entries.values()].some((content) => content.includes(each)), each)
    }
    const [row] = rows('webhooks')
    assert.ok(row.url === webhook.url && !('secret' in row) && !('headers' in row))
  })

  test('has the files, and says of each whether it is whole', async () => {
    const [good, lost, bent, locked] = [
      await upload('good', 'Menü.txt'),
      await upload('lost'),
      await upload('bent'),
      await upload('locked'),
    ]
    const { storage } = t.core
    const keyOf = async (id: string) => {
      const [row] = await t.core.db.systemQuery<{ storage_path: string }>(
        'select storage_path from files where tenant_id = $1 and id = $2',
        [tenant.id, id],
      )
      return String(row?.storage_path)
    }
    await storage.delete(await keyOf(lost.id))
    await storage.write(
      await keyOf(bent.id),
      (async function* () {
        yield Buffer.from('other')
      })(),
    )
    await t.core.db.systemQuery("update files set scan_status = 'infected' where tenant_id = $1 and id = $2", [
      tenant.id,
      locked.id,
    ])

    const { files, entries, manifest, rows } = await exportTenant(t, tenant)
    const states = new Map(files.map(({ id, state, entry }) => [id, [state, entry !== null]]))
    assert.deepEqual(states.get(good.id), ['whole', true])
    assert.deepEqual(states.get(lost.id), ['absent', false])
    assert.deepEqual(states.get(bent.id), ['damaged', true])
    assert.deepEqual(states.get(locked.id), ['withheld', false])
    has(manifest.files, { rows: 4, whole: 1, bytes_of_files: 9 })
    const entry = files.find(({ id }) => id === good.id)?.entry ?? ''
    assert.match(entry, new RegExp(`^files/${good.id}/.+\\.txt$`))
    assert.equal(String(entries.get(entry)), 'good')
    assert.equal(rows('files').length, 4)
    assert.ok(!('storage_path' in rows('files')[0]))
  })

  test('has the people who belong to the tenant, and of others nothing but their id', async () => {
    const member = await tenant.member({ role: 'admin', name: 'Mia Member' })
    await member.put('/users/me', { name: 'Private', phone: '+41 44 123 45 67', locale: 'de' })
    const leaver = await tenant.member({ role: 'admin', name: 'Leo Leaver' })
    await leaver.post('/api-keys', { name: 'Left behind', scopes: ['store.view'] })
    await tenant.run((ctx) => removeMember(ctx, leaver.userId))
    const { entries } = await exportTenant(t, tenant)
    const people = String(entries.get('people.ndjson'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    const byId = new Map(people.map((person) => [person.id, person]))
    const { userId: id, email } = member
    // As the tenant calls her, and nothing that she says of herself.
    const mia = { id, is_member: true, email, name: 'Mia Member', phone: null }
    assert.deepEqual(byId.get(id), mia)
    has(byId.get(owner.userId), { is_member: true, email: owner.email })
    assert.deepEqual(byId.get(leaver.userId), { id: leaver.userId, is_member: false })
    assert.equal(people.length, 3)
  })

  test('keeps values that another language would bend', async () => {
    await t.core.db.systemQuery(
      `update stores set settings = '{"big": 9007199254740993, "deep": {"text": "line\\nbreak\\u2028 \\"quoted\\""}}', created_at = '2026-01-02T03:04:05.678901Z'
       where tenant_id = $1`,
      [tenant.id],
    )
    const { entries } = await exportTenant(t, tenant)
    const text = String(entries.get('tables/stores.ndjson'))
    assert.match(text, /9007199254740993/)
    assert.match(text, /03:04:05\.678901/)
    const [same] = await t.core.db.systemQuery<{ same: boolean }>(
      `select bool_and(s is not distinct from r) as same from stores s
       cross join lateral (select (json_populate_record(null::stores, line::json)).* from unnest($2::text[]) line) r
       where s.tenant_id = $1 and s.id = r.id`,
      [tenant.id, text.trim().split('\n')],
    )
    assert.equal(same?.same, true)
  })

  test('sees the tenant as it was at one moment', async () => {
    // While the snapshot is open, everything is changed.
    const names = await inSnapshot(async (tx) => {
      const list = async () =>
        (await sql<{ name: string }>`select name from stores where tenant_id = ${tenant.id} order by id`.execute(tx))
          .rows
      const before = await list()
      await owner.post('/stores', { name: 'Opened meanwhile' })
      return [before, await list()]
    })
    assert.deepEqual(names[0], names[1])
    await assert.rejects(
      inSnapshot((tx) => sql`update stores set name = 'x' where tenant_id = ${tenant.id}`.execute(tx)),
      /read-only/,
    )
    await assert.rejects(
      inSnapshot((tx) => sql`select count(*) from tenantry.tables`.execute(tx)),
      /permission denied/,
    )
    const other = await t.foundTenant()
    await assert.rejects(
      inSnapshot((tx) => sql`select tenantry.set_tenant(${other.id})`.execute(tx)),
      /tenant already set/,
    )
  })
})

// biome-ignore lint/suspicious/noExplicitAny: whatever a test reads
const inSnapshot = <T>(work: (tx: any) => Promise<T>): Promise<T> =>
  t.core.db.aside(() => t.core.db.snapshot(tenant.id, work))

async function countRows(name: string): Promise<number> {
  const [row] = await t.core.db.systemQuery<{ count: number }>(
    `select count(*)::int as count from ${name} where tenant_id = $1`,
    [tenant.id],
  )
  return row?.count ?? -1
}

const tenantTables = async () =>
  (await t.core.db.systemQuery<{ name: string }>("select name from tenantry.tables where kind = 'tenant'"))
    .map(({ name }) => name)
    .sort()

describe('the owners of a tenant', () => {
  test('alone ask for it, see it and are told', async () => {
    const admin = await tenant.member({ role: 'admin' })
    const second = await tenant.member({ role: 'owner' })
    for (const [method, path] of [
      ['POST', PATH],
      ['GET', PATH],
    ] as const)
      assert.equal((await admin.request(method, path)).status, 403)
    assert.equal((await owner.get(PATH)).status, 404)
    await exportTenant(t, tenant)
    assert.equal((await second.get(PATH)).body.status, 'done')
    for (const { email } of [owner, second])
      assert.equal((await t.mails(email)).filter(({ subject }) => subject === 'Your export is ready').length, 1)
    assert.equal((await t.mails(admin.email)).filter(({ subject }) => subject === 'Your export is ready').length, 0)
    assert.deepEqual((await recorded()).slice(1), [
      ['tenant.export_requested', owner.name],
      ['tenant.exported', owner.name],
      ['tenant.export_downloaded', owner.name],
    ])
  })

  test('have a link for as long as they are owners, and an hour', async () => {
    const second = await tenant.member({ role: 'owner' })
    await exportTenant(t, tenant)
    const { url, url_expires_at, expires_at } = (await second.get(PATH)).body
    assert.equal(Date.parse(url_expires_at) - t.clock.ms() <= 1 * HOURS, true)
    assert.equal(Date.parse(expires_at) - t.clock.ms() > 6 * DAYS, true)
    assert.equal((await download(t, url)).status, 200)
    await tenant.run((ctx) => changeMember(ctx, second.userId, { status: 'disabled' }))
    assert.equal((await download(t, url)).status, 404)
    await tenant.run((ctx) => changeMember(ctx, second.userId, { status: 'active' }))
    assert.equal((await download(t, url)).status, 200)
    await t.core.db.systemQuery("update tenants set status = 'suspended' where id = $1", [tenant.id])
    assert.equal((await download(t, url)).status, 404)
    await t.core.db.systemQuery("update tenants set status = 'active' where id = $1", [tenant.id])
    t.clock.advance(1 * HOURS)
    const late = await download(t, url)
    assert.deepEqual([late.status, late.body.code], [400, 'token_expired'])
  })

  test('get no other bytes by a link that is bent, or of another tenant', async () => {
    await exportTenant(t, tenant)
    const { url } = (await owner.get(PATH)).body
    const at = url.lastIndexOf('/') + 1
    const token = Buffer.from(url.slice(at), 'base64url')
    for (const place of [0, 20, 40, token.length - 1]) {
      const bent = Buffer.from(token)
      bent[place] = (bent[place] ?? 0) ^ 1
      assert.equal((await download(t, url.slice(0, at) + bent.toString('base64url'))).status, 404)
    }
    assert.equal((await download(t, `${url}x`)).status, 404)
    // A link of a file is signed for something else.
    const file = await upload('x')
    const link = (await owner.post(`/files/${file.id}/link`, {})).body.url
    assert.equal((await download(t, `/api/v1/export-links/${link.slice(link.lastIndexOf('/') + 1)}`)).status, 404)
  })

  test('download it in parts', async () => {
    const { zip } = await exportTenant(t, tenant)
    const { url, checksum_sha256 } = (await owner.get(PATH)).body
    const first = await download(t, url, { range: 'bytes=0-99' })
    const rest = await download(t, url, { range: 'bytes=100-', 'if-range': `"${checksum_sha256}"` })
    assert.deepEqual([first.status, rest.status], [206, 206])
    assert.ok(Buffer.concat([first.bytes, rest.bytes]).equals(zip))
    const another = await download(t, url, { range: 'bytes=100-', 'if-range': '"another"' })
    assert.deepEqual([another.status, another.bytes.length], [200, zip.length])
    assert.equal((await download(t, url, { range: `bytes=${zip.length}-` })).status, 416)
  })

  test('may ask ten times a day', async () => {
    const strict = await createTestCore({ database: t.database, rateLimits: true })
    try {
      const { owner } = await strict.foundTenant()
      const statuses: number[] = []
      for (let time = 0; time < 11; time++) statuses.push((await owner.post(PATH)).status)
      assert.deepEqual(statuses, [...Array(10).fill(202), 429])
    } finally {
      await strict.close()
    }
  })
})

describe('an export that is done', () => {
  test('is kept for seven days, and counts towards no quota', async () => {
    await owner.request('POST', '/tenants/current/logo', { form: { fields: {}, file: SOME_PICTURE } })
    const used = async () => (await owner.get('/subscriptions/current/usage')).body
    const before = await used()
    await exportTenant(t, tenant)
    assert.deepEqual(await used(), before)
    assert.equal((await stored()).length, 1)
    t.clock.advance(7 * DAYS - 1 * HOURS)
    await t.runSchedule(removeExpiredExports)
    assert.equal((await owner.get(PATH)).status, 200)
    t.clock.advance(1 * HOURS)
    assert.equal((await owner.get(PATH)).status, 404)
    await t.runSchedule(removeExpiredExports)
    assert.deepEqual(await stored(), [])
    assert.equal(await countRows('tenant_exports'), 0)
  })

  test('goes when the next one is done', async () => {
    await exportTenant(t, tenant)
    const [first] = await stored()
    await owner.post(PATH)
    assert.equal((await owner.get(PATH)).body.status, 'queued')
    await t.runSchedule(removeExpiredExports)
    assert.deepEqual(await stored(), [first])
    await t.drainJobs(tenant.id)
    await t.runSchedule(removeExpiredExports)
    const left = await stored()
    assert.ok(left.length === 1 && left[0] !== first)
  })
})
