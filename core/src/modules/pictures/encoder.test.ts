import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, mock, test } from 'node:test'
import { AppError, createWorkQueue, MINUTES } from '#kernel'
import { type PictureForm, pictureEncoder, takeIn } from './encoder.ts'
import { paint, pngOf } from './pictures.fixture.ts'

const full = () => new Error('full')
const oneAtATime = () => ({
  arriving: createWorkQueue({ concurrency: 1, waiting: 1, full }),
  encoding: createWorkQueue({ concurrency: 1, waiting: 1, full }),
  senders: new Map(),
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
      const slow = takeIn(encoder, 'ann', 'avatar', make(await picture))
      const next = takeIn(encoder, 'ann', 'avatar', formOf(sent(await picture)))
      const answered = assert.rejects(slow, { status: 408, code: 'request_timeout' })
      mock.timers.tick(1 * MINUTES - 1)
      assert.equal(await Promise.race([slow.catch(() => 'over'), tick('still waits')]), 'still waits')
      mock.timers.tick(1)
      await answered
      assert.ok((await next).variants.length > 0)
    })

  test('that came in time is not disturbed any more', async () => {
    const encoder = oneAtATime()
    const taken = await takeIn(encoder, 'ann', 'avatar', formOf(sent(await picture)))
    mock.timers.tick(2 * MINUTES)
    assert.ok(taken.variants.length > 0)
  })
})

const tick = <T>(value: T) => new Promise<T>((resolve) => setImmediate(() => resolve(value)))

test('of one person two are taken in at a time, so that whoever drips keeps nobody else waiting', async () => {
  const encoder = await pictureEncoder.create(undefined as never) // it asks for nothing
  const drips = Array.from({ length: 2 }, () => takeIn(encoder, 'ann', 'avatar', formOf(dripping())))
  const ended = Promise.all(drips.map((drip) => assert.rejects(drip, { status: 408 })))
  for (let n = 0; n < 6; n++) {
    const more = takeIn(encoder, 'ann', 'avatar', formOf(dripping())).catch((error: unknown) => error)
    const error = await Promise.race([more, tick('still waits')])
    assert.ok(error instanceof AppError, String(error))
    assert.deepEqual([error.status, error.details.headers], [429, { 'retry-after': '5' }])
  }
  const other = await takeIn(encoder, 'ben', 'avatar', formOf(sent(await paint(4, 4))))
  assert.ok(other.variants.length > 0)
  mock.timers.tick(1 * MINUTES)
  await ended
  assert.deepEqual([...encoder.senders], [])
  const own = await takeIn(encoder, 'ann', 'avatar', formOf(sent(await paint(4, 4))))
  assert.ok(own.variants.length > 0)
})

test('no more pictures than may be decoded at once take a thread, also to read what their headers say', async () => {
  let turns = 0
  const { encoding, ...encoder } = oneAtATime()
  const counted: typeof encoding = {
    ...encoding,
    run: (work) => {
      turns++
      return encoding.run(work)
    },
  }
  const large = formOf(sent(pngOf(30_000, 30_000)))
  await assert.rejects(takeIn({ ...encoder, encoding: counted }, 'ann', 'avatar', large), { status: 413 })
  assert.equal(turns, 1)
})
