import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, mock, test } from 'node:test'
import { createWorkQueue, MINUTES } from '#kernel'
import { type PictureForm, takeIn } from './encoder.ts'
import { paint } from './pictures.fixture.ts'

const full = () => new Error('full')
const oneAtATime = () => ({
  arriving: createWorkQueue({ concurrency: 1, waiting: 1, full }),
  encoding: createWorkQueue({ concurrency: 1, waiting: 1, full }),
})

beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }))
afterEach(() => mock.timers.reset())

const never = new Promise<never>(() => {})
const formOf = (content: AsyncIterable<Buffer>, fields: Promise<unknown> = Promise.resolve({})): PictureForm => ({
  file: async () => ({ content, filename: 'me.png', contentType: 'image/png', early: {}, expected: null }),
  fields: () => fields,
})

async function* sent(bytes: Buffer) {
  yield bytes
}

async function* dripping() {
  yield Buffer.from([0x89])
  await never
}

describe('a picture that does not come to its end', () => {
  const picture = paint(4, 4)
  const forms: [what: string, make: (bytes: Buffer) => PictureForm][] = [
    ['in it', () => formOf(dripping())],
    ['before it', () => ({ file: () => never, fields: async () => ({}) })],
    ['behind it', (bytes) => formOf(sent(bytes), never)],
  ]
  for (const [what, make] of forms)
    test(`is given up after a minute, and its place is free: ${what}`, async () => {
      const encoder = oneAtATime()
      const slow = takeIn(encoder, 'avatar', make(await picture))
      const next = takeIn(encoder, 'avatar', formOf(sent(await picture)))
      const answered = assert.rejects(slow, { status: 408, code: 'request_timeout' })
      mock.timers.tick(1 * MINUTES - 1)
      assert.equal(await Promise.race([slow.catch(() => 'over'), tick('still waits')]), 'still waits')
      mock.timers.tick(1)
      await answered
      assert.ok((await next).variants.length > 0)
    })

  test('that came in time is not disturbed any more', async () => {
    const encoder = oneAtATime()
    const taken = await takeIn(encoder, 'avatar', formOf(sent(await picture)))
    mock.timers.tick(2 * MINUTES)
    assert.ok(taken.variants.length > 0)
  })
})

const tick = <T>(value: T) => new Promise<T>((resolve) => setImmediate(() => resolve(value)))
