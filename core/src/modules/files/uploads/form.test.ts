import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { newId } from '#kernel'
import type { SentFile, TestCore, TestTenant } from '../../../testing/index.ts'
import {
  assertNothingLeft,
  createFileCore,
  historyOf,
  holdings,
  MOST_BYTES,
  PNG,
  picture,
  pointersOf,
  text,
  upload,
  uploaded,
} from '../files.fixture.ts'

let test: TestCore
let tenant: TestTenant
before(async () => {
  test = await createFileCore()
})
after(() => test?.close())

const found = async () => {
  tenant = await test.foundTenant()
  return tenant
}
const storeOf = async ({ owner }: TestTenant): Promise<string> => (await owner.get('/stores')).body.data[0].id

describe('an upload', () => {
  before(found)

  it('gives a file with what was sent, its checksum, and the quota that it takes', async () => {
    const content = randomBytes(300_000)
    const { status, body, headers } = await upload(tenant.owner, {
      name: 'C:\\tmp\\Größe.zip',
      content: zip(content),
      type: 'application/zip',
    })
    assert.equal(status, 201)
    assert.equal(headers.location, `/api/v1/files/${body.id}`)
    assert.partialDeepStrictEqual(body, {
      tenant_id: tenant.id,
      uploaded_by: tenant.owner.userId,
      filename: 'Größe.zip',
      original_filename: 'C:\\tmp\\Größe.zip',
      content_type: 'application/zip',
      size: zip(content).length,
      checksum_sha256: createHash('sha256').update(zip(content)).digest('hex'),
      storage_backend: 'local',
      entity_type: null,
      entity_id: null,
      store_id: null,
      is_public: false,
      scan_status: 'none',
      trashed_at: null,
      url: `${test.core.config.http.publicUrl}/api/v1/files/${body.id}/download`,
    })
    assert.ok(!('storage_path' in body), 'where it lies stays inside')
    assert.deepEqual(await holdings(test, tenant.id), { files: 1, uploads: 0, used: body.size, objects: 1 })
    assert.deepEqual(await historyOf(test, body.id), ['file.created'])
    const { storage_bytes } = (await tenant.owner.get('/subscriptions/current/usage')).body
    assert.equal(storage_bytes.used, body.size)
  })

  it('belongs to what its fields say, before the file or after it', async () => {
    const entity_id = await storeOf(tenant)
    const fields = { entity_type: 'store', entity_id: entity_id.toUpperCase(), is_public: true }
    for (const isFileFirst of [true, false]) {
      const { status, body } = await tenant.owner.request('POST', '/files', {
        form: { fields, file: text(), isFileFirst },
      })
      assert.equal(status, 201)
      assert.partialDeepStrictEqual(body, { ...fields, entity_id, store_id: entity_id })
    }
  })

  it('of a thing takes what the rule of the thing takes: pictures, few and small', async () => {
    const painting = { entity_type: 'painting', entity_id: await storeOf(tenant) }
    const refused: [SentFile, number][] = [
      [text(), 415],
      [{ ...picture(), content: Buffer.concat([PNG, Buffer.alloc(100_000)]) }, 413],
    ]
    for (const [file, status] of refused)
      for (const isFileFirst of [true, false]) {
        const answer = await tenant.owner.request('POST', '/files', { form: { fields: painting, file, isFileFirst } })
        assert.deepEqual([answer.status, pointersOf(answer)], [status, ['#/file']])
      }
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, at) => upload(tenant.owner, picture(`${at}.png`), painting)),
    )
    assert.equal(
      answers.filter(({ status }) => status === 201).length,
      2,
      'no more than it may have, however many come at once',
    )
    assert.ok(answers.every(({ status }) => [201, 409].includes(status)))
  })

  it('is 404 for a thing that is not there, or another tenant’s, and 400 for a kind that has no files', async () => {
    const other = await storeOf(await test.foundTenant())
    const answers: [fields: object, status: number, pointers: string[]][] = [
      [{ entity_type: 'store', entity_id: newId() }, 404, []],
      [{ entity_type: 'store', entity_id: other }, 404, []],
      [{ entity_type: 'spaceship', entity_id: newId() }, 400, ['#/entity_type']],
      [{ entity_type: 'store' }, 400, ['#/entity_id']],
      [{ entity_id: newId() }, 400, ['#/entity_type']],
      [
        { entity_type: 'Store!', entity_id: 'x', is_public: 'maybe', more: 1 },
        400,
        ['#/entity_id', '#/entity_type', '#/is_public', '#/more'],
      ],
    ]
    await test.drainJobs(tenant.id)
    const before = await holdings(test, tenant.id)
    for (const [fields, status, pointers] of answers)
      for (const isFileFirst of [true, false]) {
        const answer = await tenant.owner.request('POST', '/files', {
          form: { fields: { ...fields }, file: text(), isFileFirst },
        })
        assert.deepEqual([answer.status, pointersOf(answer).sort()], [status, pointers], answer.text)
      }
    await test.drainJobs(tenant.id)
    assert.deepEqual(await holdings(test, tenant.id), before)
  })

  it('takes the rights of the thing, and those for files, in its store', async () => {
    const [north, south] = [await storeOf(tenant), (await tenant.owner.post('/stores', { name: 'South' })).body.id]
    const painting = (entity_id: string) => ({ entity_type: 'painting', entity_id })
    const hanger = await tenant.member({
      permissions: ['file.create', 'file.view', 'painting.hang', 'painting.view'],
      store: south,
    })
    const looker = await tenant.member({ permissions: ['file.create', 'file.view', 'painting.view'], store: south })
    assert.equal((await upload(hanger, picture(), painting(south))).status, 201)
    assert.equal((await upload(hanger, picture(), painting(north))).status, 404)
    const denied = await upload(looker, picture(), painting(south))
    assert.deepEqual([denied.status, denied.body.permission], [403, 'painting.hang'])
    // Of nothing, in the store of the request; never of the whole tenant.
    assert.equal((await upload(hanger, text())).status, 404)
    const own = await upload(hanger, text(), {}, { headers: { 'x-store-id': south } })
    assert.deepEqual([own.status, own.body.store_id], [201, south])
    assert.equal((await upload(await tenant.member({ role: 'viewer' }), text())).status, 403)
  })
})

describe('what is refused leaves nothing', () => {
  const names: [name: string, given: string, becomes: string | null][] = [
    ['a path upwards', '../../etc/passwd.txt', 'passwd.txt'],
    ['an absolute path', '/etc/cron.d/evil.txt', 'evil.txt'],
    ['a path of Windows', 'C:\\Windows\\win.txt', 'win.txt'],
    ['only dots', '../..', null],
    ['blanks', '   ', null],
    ['5,000 characters', `${'a'.repeat(5_000)}.txt`, null],
    ['letters written to the left', 'exe\u202etxt.txt', 'exetxt.txt'],
    ['control characters', 'a\u0007b\u001b[31m.txt', 'ab[31m.txt'],
    ['the name of a device', 'CON.txt', '_CON.txt'],
    ['signs that disks do not take', 'a<b>|c?.txt', 'a_b__c_.txt'],
    ['no ending', 'README', null],
  ]
  for (const [name, given, becomes] of names)
    it(`a file whose name has ${name} is ${becomes === null ? 'refused' : `called ${becomes}`}`, async () => {
      await found()
      const answer = await upload(tenant.owner, text('x', given))
      if (becomes !== null) assert.deepEqual([answer.status, answer.body.filename], [201, becomes])
      else {
        assert.ok([400, 415].includes(answer.status), answer.text)
        assert.deepEqual(pointersOf(answer), ['#/file'])
        await assertNothingLeft(test, tenant)
      }
    })

  const files: [name: string, file: SentFile, status: number][] = [
    ['is empty', text(''), 400],
    ['is larger than any may be', text(Buffer.alloc(MOST_BYTES + 1, 'a')), 413],
    ['has an ending that is not taken', { ...text(), name: 'setup.exe' }, 415],
    ['says to be a picture and is a text', { ...text(), name: 'a.png', type: 'image/png' }, 415],
    ['says to be a text and is a picture', { ...picture(), name: 'a.txt', type: 'text/plain' }, 415],
    ['declares another type than its name', { ...picture(), type: 'application/pdf' }, 415],
    [
      'has a page in the place of a picture',
      { name: 'a.jpg', content: '<!doctype html><script>alert(1)</script>', type: 'image/jpeg' },
      415,
    ],
  ]
  for (const [name, file, status] of files)
    it(`a file that ${name} is ${status}`, async () => {
      await found()
      const answer = await upload(tenant.owner, file)
      assert.deepEqual([answer.status, pointersOf(answer)], [status, ['#/file']], answer.text)
      await assertNothingLeft(test, tenant)
      assert.equal(
        (
          await test.core.db.systemQuery('select 1 from audit_logs where tenant_id = $1 and action like $2', [
            tenant.id,
            'file.%',
          ])
        ).length,
        0,
      )
    })

  it('a file of exactly as many bytes as any may have is taken', async () => {
    await found()
    assert.equal((await uploaded(tenant.owner, text(Buffer.alloc(MOST_BYTES, 'a')))).size, MOST_BYTES)
  })
})

/** Bytes that are a zip as far as anybody looks. */
function zip(content: Buffer): Buffer {
  const header = Buffer.alloc(31)
  header.writeUInt32LE(0x04034b50, 0)
  header.writeUInt16LE(20, 4)
  header.writeUInt32LE(content.length, 18)
  header.writeUInt32LE(content.length, 22)
  header.writeUInt16LE(1, 26)
  header.write('a', 30)
  return Buffer.concat([header, content])
}
