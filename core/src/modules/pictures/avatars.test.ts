import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import sharp from 'sharp'
import { conflict, DAYS, defineModule, isUuid, within } from '#kernel'
import {
  createTestCore,
  type RequestOptions,
  type TestCore,
  type TestPerson,
  type TestTenant,
} from '../../testing/index.ts'
import { builtinModules } from '../index.ts'
import { tenants, tenantUpdated } from '../tenants/index.ts'
import { users, userUpdated } from '../users/index.ts'
import { formOf, kept, look, paint, partOf } from './pictures.fixture.ts'
import { sweepPictures } from './sweep.ts'

const PARALLEL = 20
const AVATAR = '/users/me/avatar'
const LOGO = '/tenants/current/logo'
const TAKEN = 6

let isRefused = false
const refuse = async () => {
  if (isRefused) throw conflict({ detail: 'Not now' })
}
/** Somebody who has a say in what people and tenants show. */
const censor = defineModule({
  name: 'censor',
  dependsOn: [users, tenants],
  listeners: [within(userUpdated, 'censor.people', refuse), within(tenantUpdated, 'censor.tenants', refuse)],
})

let t: TestCore
let shop: TestTenant
let ann: TestPerson
before(async () => {
  t = await createTestCore({ modules: [...builtinModules, censor] })
  shop = await t.foundTenant()
  ann = shop.owner
})
after(() => t.close())
// Nothing stays of what a test did not leave on purpose.
afterEach(async () => {
  await ann.delete(AVATAR)
  await ann.delete(LOGO)
  await settle()
  assert.deepEqual(await kept(t), { files: [], rows: [] })
})

const settle = async () => {
  await t.drainJobs(shop.id)
  await t.drainJobs(null)
}
const send = (who: TestPerson, content: Buffer, path: typeof AVATAR | typeof LOGO = AVATAR, form = {}) =>
  who.request('POST', path, formOf(content, form))
const me = async (who: TestPerson) => (await who.get('/users/me')).body
const branding = async () => (await ann.get('/tenants/current/branding')).body
const problems = (body: { errors?: { pointer: string }[] }) => body.errors?.map(({ pointer }) => pointer)

describe('the picture of a person', () => {
  test('is shown with them, to everybody who knows its address, in three sizes', async () => {
    const { status, body } = await send(ann, await paint(300, 200, '#336699'))
    assert.equal(status, 200)
    assert.match(body.avatar_url, /^http:\/\/[^/]+\/api\/v1\/pictures\/[0-9a-f-]{36}$/)
    assert.deepEqual((await me(ann)).avatar_url, body.avatar_url)
    assert.equal((await ann.get(`/users/${ann.userId}`)).body.avatar_url, body.avatar_url)
    const [member] = (await ann.get('/users')).body.data
    assert.equal(member.avatar_url, body.avatar_url)
    for (const [query, size, format] of [
      ['', 256, 'webp'],
      ['?size=64', 64, 'webp'],
      ['?size=128&format=png', 128, 'png'],
    ] as const) {
      const { status, headers, content } = await look(t, body.avatar_url + query)
      assert.deepEqual([status, headers['content-type']], [200, `image/${format}`])
      const { width, height, format: read } = await sharp(content).metadata()
      assert.deepEqual([width, height, read], [size, size, format])
    }
  })

  test('may be kept for good, shown by pages of others, and can do nothing', async () => {
    const { avatar_url } = (await send(ann, await paint(30, 30))).body
    const { headers } = await look(t, avatar_url)
    assert.partialDeepStrictEqual(headers, {
      'cache-control': 'public, max-age=31536000, immutable',
      'content-disposition': 'inline',
      'content-security-policy': "default-src 'none'; sandbox",
      'cross-origin-resource-policy': 'cross-origin',
      'x-content-type-options': 'nosniff',
    })
    const again = await look(t, avatar_url, { 'if-none-match': String(headers.etag) })
    assert.deepEqual([again.status, again.content.length], [304, 0])
    assert.equal((await look(t, `${avatar_url}?size=64`, { 'if-none-match': String(headers.etag) })).status, 200)
    const { pathname } = new URL(avatar_url)
    assert.equal((await t.request('HEAD', pathname)).status, 200)
  })

  test('has an address that nobody guesses, and another one each time', async () => {
    const ids = new Set<string>()
    for (let n = 0; n < 3; n++) {
      const id = new URL((await send(ann, await paint(8, 8))).body.avatar_url).pathname.split('/').at(-1) ?? ''
      // Version 4: no time, no count.
      assert.ok(isUuid(id) && id[14] === '4', id)
      ids.add(id)
    }
    assert.equal(ids.size, 3)
  })

  test('gives way to the next one, and goes when it is deleted: its address at once, its files by a job', async () => {
    const first = (await send(ann, await paint(8, 8))).body.avatar_url
    const second = (await send(ann, await paint(8, 8))).body.avatar_url
    assert.deepEqual([(await look(t, first)).status, (await look(t, second)).status], [404, 200])
    assert.equal((await kept(t)).files.length, 2 * TAKEN)
    await settle()
    const left = await kept(t)
    assert.deepEqual([left.files.length, left.rows.length], [TAKEN, 1])
    assert.equal((await ann.delete(AVATAR)).status, 204)
    assert.equal((await ann.delete(AVATAR)).status, 204)
    assert.deepEqual([(await me(ann)).avatar_url, (await look(t, second)).status], [null, 404])
  })

  test('is recorded as a change of their profile, once', async () => {
    await send(ann, await paint(8, 8))
    await ann.delete(AVATAR)
    await ann.delete(AVATAR)
    const { data } = (await ann.get('/audit?action=user.updated&limit=2')).body
    const [removed, added] = data
    assert.deepEqual([removed.new_values.avatar_url, added.old_values.avatar_url], [null, null])
    assert.equal(removed.old_values.avatar_url, added.new_values.avatar_url)
  })

  test('is theirs also where they are in no tenant', async () => {
    const alone = await t.addPerson()
    const { body } = await send(alone, await paint(8, 8))
    assert.equal((await look(t, body.avatar_url)).status, 200)
    assert.equal((await alone.delete(AVATAR)).status, 204)
  })

  test('of an invited person is not told', async () => {
    const other = await t.addPerson()
    await send(other, await paint(8, 8))
    const invited = await ann.post('/users/invite', { email: other.email })
    assert.equal(invited.status, 201)
    assert.equal((await ann.get(`/users/${other.userId}`)).body.avatar_url, null)
    await other.delete(AVATAR)
  })

  test('of 20 that are sent at once, two at a time are taken in, one is shown and nothing of the others is left', async () => {
    const pictures = await Promise.all(Array.from({ length: PARALLEL }, (_, n) => paint(20, 20, n)))
    const answers = await Promise.all(pictures.map((picture) => send(ann, picture)))
    const shown = answers.filter(({ status }) => status === 200)
    assert.ok(shown.length >= 2 && shown.length < PARALLEL, `${shown.length} taken in`)
    for (const { status, body, headers } of answers)
      if (status !== 200) assert.deepEqual([status, body.code, headers['retry-after']], [429, 'rate_limited', '5'])
    await settle()
    const { files, rows } = await kept(t)
    const { avatar_url } = await me(ann)
    assert.deepEqual([files.length, rows.map(({ state }) => state)], [TAKEN, ['attached']])
    assert.ok(avatar_url.endsWith(rows[0]?.id))
    assert.ok(shown.some(({ body }) => body.avatar_url === avatar_url))
  })
})

describe('the logo of a tenant', () => {
  test('is part of its branding, and of its record', async () => {
    const { status, body } = await send(ann, await paint(400, 100), LOGO)
    assert.equal(status, 200)
    assert.deepEqual(Object.keys(body), ['logo_url', 'primary_color', 'accent_color', 'email_from_name'])
    assert.deepEqual([await branding(), (await ann.get('/tenants/current')).body.branding], [body, body])
    const { width, height } = await sharp((await look(t, `${body.logo_url}?size=64`)).content).metadata()
    assert.deepEqual([width, height], [256, 64])
    await ann.put('/tenants/current/branding', { primary_color: '#1a73e8' })
    assert.equal((await branding()).logo_url, body.logo_url)
    assert.equal((await ann.delete(LOGO)).status, 204)
    assert.deepEqual([(await branding()).logo_url, (await look(t, body.logo_url)).status], [null, 404])
    const { data } = (await ann.get('/audit?action=tenant.updated&limit=3')).body
    const [removed, , added] = data
    assert.equal(removed.old_values.branding.logo_url, added.new_values.branding.logo_url)
    await ann.put('/tenants/current/branding', { primary_color: null })
  })

  test('of 20 that are sent at once, one is shown and nothing of the others is left', async () => {
    const pictures = await Promise.all(Array.from({ length: PARALLEL }, (_, n) => paint(20, 20, n)))
    const editors = await Promise.all(pictures.map(() => shop.member({ permissions: ['tenant.update'] })))
    const answers = await Promise.all(pictures.map((picture, n) => send(editors[n] ?? ann, picture, LOGO)))
    assert.deepEqual(
      answers.map(({ status }) => status),
      Array(PARALLEL).fill(200),
    )
    await settle()
    const { files, rows } = await kept(t)
    assert.deepEqual([files.length, rows.map(({ state }) => state)], [TAKEN, ['attached']])
    assert.ok((await branding()).logo_url.endsWith(rows[0]?.id))
  })

  test('is changed by whoever may change the tenant, and by nobody else', async () => {
    const picture = await paint(8, 8)
    const viewer = await shop.member({ role: 'viewer' })
    for (const [who, status, code] of [
      [viewer, 403, 'permission_denied'],
      [await t.addPerson(), 403, 'tenant_required'],
    ] as const) {
      const { body, ...answer } = await send(who, picture, LOGO)
      assert.deepEqual([answer.status, body.code], [status, code])
      assert.equal((await who.delete(LOGO)).body.code, code)
    }
    const editor = await shop.member({ permissions: ['tenant.update'] })
    assert.equal((await send(editor, picture, LOGO)).status, 200)
  })
})

describe('what is no picture, or more than one', () => {
  const post = (options: RequestOptions) => ann.request('POST', AVATAR, options)

  test('is refused at the file, and nothing of it is kept', async () => {
    const picture = await paint(8, 8)
    const cases: [number, string, RequestOptions][] = [
      [400, '#/file', formOf(Buffer.alloc(0))],
      [415, '#/file', formOf(Buffer.from('<svg/>'), { filename: 'me.png' })],
      [415, '#/file', formOf(picture.subarray(0, picture.length - 30))],
      [413, '#/file', formOf(Buffer.concat([picture, Buffer.alloc(11 * 1024 * 1024)]))],
      [400, '#/avatar', formOf(picture, { name: 'avatar' })],
      [400, '#/file', formOf(picture, { more: partOf('name="file"; filename="b.png"', 'x') })],
      [400, '#/note', formOf(picture, { more: partOf('name="note"', 'x') })],
    ]
    for (const [status, pointer, options] of cases) {
      const { body, ...answer } = await post(options)
      assert.deepEqual([answer.status, problems(body)], [status, [pointer]], JSON.stringify(body))
    }
    const whole = formOf(picture)
    const endless = await post({ ...whole, payload: whole.payload.subarray(0, whole.payload.length - 20) })
    assert.equal(endless.status, 400)
    assert.equal((await ann.post(AVATAR, { file: 'x' })).status, 415)
    assert.equal((await t.request('POST', `/api/v1${AVATAR}`, whole)).status, 401)
    assert.equal((await t.request('DELETE', `/api/v1${AVATAR}`)).status, 401)
    assert.deepEqual([await kept(t), (await me(ann)).avatar_url], [{ files: [], rows: [] }, null])
  })

  test('leaves the picture that was there', async () => {
    const { avatar_url } = (await send(ann, await paint(8, 8))).body
    assert.equal((await send(ann, Buffer.from('no picture'))).status, 415)
    assert.equal((await me(ann)).avatar_url, avatar_url)
    assert.equal((await look(t, avatar_url)).status, 200)
  })

  test('an address of no picture, and a size that there is none of', async () => {
    const { pathname } = new URL((await send(ann, await paint(8, 8))).body.avatar_url)
    for (const size of ['0', '65', '1024', 'x', '']) {
      const { status, body } = await t.request('GET', `${pathname}?size=${size}`)
      assert.deepEqual([status, problems(body)], [400, ['query/size']])
    }
    assert.equal((await t.request('GET', `${pathname}?format=svg`)).status, 400)
    for (const id of ['nothing', '01926f3c-7b1e-7cc3-98c4-dc0c0c07398f', ann.userId])
      assert.equal((await t.request('GET', `/api/v1/pictures/${id}`)).status, 404)
  })
})

describe('when something goes wrong', () => {
  test('in the storage, nothing is left and the picture before is shown', async () => {
    const { avatar_url } = (await send(ann, await paint(8, 8))).body
    const { storage } = t.core
    const { write } = storage
    let written = 0
    storage.write = (...args) => {
      if (++written === 4) throw new Error('the disk broke')
      return write.apply(storage, args)
    }
    try {
      assert.equal((await send(ann, await paint(8, 8))).status, 500)
    } finally {
      storage.write = write
    }
    const { files, rows } = await kept(t)
    assert.deepEqual([files.length, rows.length], [TAKEN, 1])
    assert.equal((await me(ann)).avatar_url, avatar_url)
  })

  test('in the transaction that shows it, nothing is left and the picture before is shown', async () => {
    const { avatar_url } = (await send(ann, await paint(8, 8))).body
    isRefused = true
    try {
      assert.equal((await send(ann, await paint(8, 8))).body.code, 'conflict')
      assert.equal((await send(ann, await paint(8, 8), LOGO)).body.code, 'conflict')
    } finally {
      isRefused = false
    }
    const { files, rows } = await kept(t)
    assert.deepEqual([files.length, rows.map(({ state }) => state)], [TAKEN, ['attached']])
    assert.equal((await me(ann)).avatar_url, avatar_url)
  })

  test('while a picture is removed, it goes later: by the job, at last by the sweep', async () => {
    const { storage } = t.core
    const { delete: remove } = storage
    await send(ann, await paint(8, 8))
    await ann.delete(AVATAR)
    storage.delete = () => Promise.reject(new Error('the disk broke'))
    try {
      await assert.rejects(t.drainJobs(shop.id), /the disk broke/)
      t.clock.advance(2 * DAYS)
      await t.runSchedule(sweepPictures)
    } finally {
      storage.delete = remove
    }
    assert.equal((await kept(t)).files.length, TAKEN)
    await t.runSchedule(sweepPictures)
    assert.deepEqual(await kept(t), { files: [], rows: [] })
  })
})
