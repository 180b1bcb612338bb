import { Readable } from 'node:stream'
import { contextOf } from '../../testing/context.ts'
import { createTestCore, type TestDatabase } from '../../testing/index.ts'
import { changeUser } from '../users/index.ts'
import { keepPicture } from './index.ts'
import { paint } from './pictures.fixture.ts'

/** A process that dies while it takes a picture in: among its files, or in the transaction that would show it. */
const [urls = '', DATA_DIR = '', tenantId = '', userId = '', ahead = '0', moment = ''] = process.argv.slice(2)
const die = async () => {
  process.kill(process.pid, 'SIGKILL')
  await new Promise(() => {})
}

const database: TestDatabase = { ...JSON.parse(urls), drop: async () => {} }
const { core, clock } = await createTestCore({ database, env: { DATA_DIR } })
clock.advance(Number(ahead))
const { storage } = core
const { write } = storage
let written = 0
storage.write = async (...args) => {
  if (moment === 'files' && ++written === 4) await die()
  return write.apply(storage, args)
}
const content = Readable.from([await paint(20, 20)])
const form = {
  file: async () => ({ filename: null, contentType: null, early: {}, expected: null, content }),
  fields: async () => ({}),
}
await keepPicture(contextOf(core, tenantId), 'avatar', form, async (ctx, id) => {
  await changeUser(ctx, userId, { avatar_id: id })
  await die()
})
