import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { AppError } from '#kernel'
import { getMail, listMailbox, MAILBOX_SIZE, storeMail } from './mailbox.ts'

let root: string
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'mailbox-'))
})
after(() => rm(root, { recursive: true }))

const mail = { from: 'Core <a@example.com>', to: 'b@example.com', subject: 'Hello', text: 'Text', html: '<p>Html</p>' }
const isNotFound = (error: unknown) => error instanceof AppError && error.status === 404

describe('the mailbox on disk', () => {
  test('is empty before the first mail', async () => {
    assert.deepEqual(await listMailbox(join(root, 'none')), [])
  })

  test('keeps mails whole, newest first, for the owner alone', async () => {
    const folder = join(root, 'kept')
    const first = await storeMail(folder, mail)
    const second = await storeMail(folder, { ...mail, subject: 'Second' })
    assert.deepEqual(await listMailbox(folder), [second, first])
    assert.deepEqual(await getMail(folder, first.id), first)
    assert.deepEqual({ ...first, id: '', created_at: '' }, { ...mail, id: '', created_at: '' })
    assert.match(first.created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    assert.equal((await stat(join(folder, 'mailbox', `${first.id}.json`))).mode & 0o777, 0o600)
    assert.equal((await stat(join(folder, 'mailbox'))).mode & 0o777, 0o700)
  })

  test('an id that is none, or leads elsewhere, is not found', async () => {
    await writeFile(join(root, 'secret.json'), '{}')
    await storeMail(root, mail)
    for (const id of ['', '../secret', '..%2fsecret', '01890000-0000-7000-8000-000000000000', `\0${'0'.repeat(35)}`]) {
      await assert.rejects(getMail(root, id), isNotFound)
    }
  })

  test('keeps the newest only, and parallel mails lose nothing', async () => {
    const folder = join(root, 'full')
    const stored = []
    for (let round = 0; round < 26; round++) {
      stored.push(...(await Promise.all(Array.from({ length: 20 }, () => storeMail(folder, mail)))))
    }
    const newest = stored
      .map(({ id }) => id)
      .sort()
      .reverse()
      .slice(0, MAILBOX_SIZE)
    assert.deepEqual(
      (await listMailbox(folder)).map(({ id }) => id),
      newest,
    )
    assert.equal((await readdir(join(folder, 'mailbox'))).length, MAILBOX_SIZE)
  })
})
