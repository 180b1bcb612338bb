import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Arriving } from './arriving.ts'

const never = () => false

async function* chunksOf(...texts: string[]): AsyncGenerator<Buffer> {
  for (const text of texts) yield Buffer.from(text)
}

async function read(source: Arriving, bytes: number, isLate = never): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of source.take(bytes, isLate)) parts.push(part)
  return Buffer.concat(parts).toString()
}

describe('a body that arrives', () => {
  it('is cut into pieces wherever its chunks end, and nothing is lost by looking ahead', async () => {
    const source = new Arriving(chunksOf('abc', 'defgh', 'i'), 9)
    assert.equal(String(await source.peek(4)), 'abcd')
    const pieces = [await read(source, 4), await read(source, 3), await read(source, 10), await read(source, 10)]
    assert.deepEqual(pieces, ['abcd', 'efg', 'hi', ''])
  })

  it('gives its last bytes only when nothing follows that was not announced', async () => {
    for (const texts of [['abcd'], ['ab', 'cd'], ['abc', 'd']]) {
      const source = new Arriving(chunksOf(...texts), 3)
      await assert.rejects(read(source, 10), { code: 'payload_too_large' }, texts.join())
      await assert.rejects(read(source, 10), { code: 'payload_too_large' }, 'also when it is asked again')
    }
    await assert.rejects(read(new Arriving(chunksOf('abc', 'd'), 3), 3), { code: 'payload_too_large' })
    assert.equal(await read(new Arriving(chunksOf('ab', 'c'), 3), 10), 'abc')
  })

  it('ends where the client breaks off, and remembers why', async () => {
    const broken = new Error('gone')
    async function* content() {
      yield Buffer.from('ab')
      throw broken
    }
    const source = new Arriving(content(), 10)
    assert.equal(await read(source, 10), 'ab')
    assert.equal(source.failure?.error, broken)
    assert.equal(await read(source, 10), '')
  })

  it('ends a piece that takes too long, but none without a byte', async () => {
    const source = new Arriving(chunksOf('a', 'b', 'c'), 3)
    assert.equal(await read(source, 10, () => true), 'a')
  })

  it('fails whoever takes more when it was stopped', async () => {
    const source = new Arriving(chunksOf('a', 'b'), 2)
    await source.peek(1)
    source.stop(new Error('lost'))
    await assert.rejects(read(source, 10), /lost/)
  })

  it('fails whoever waits when it is stopped, and whoever closes it need not wait', { timeout: 20_000 }, async () => {
    async function* content() {
      yield Buffer.from('a')
      await new Promise(() => {})
    }
    const source = new Arriving(content(), 2)
    const reading = read(source, 10)
    setImmediate(() => source.stop(new Error('lost')))
    await assert.rejects(reading, /lost/)
    await source.close()
  })

  it('is idle when nothing came of what was waited for since it was asked last', async () => {
    const next = Promise.withResolvers<void>()
    async function* content() {
      yield Buffer.from('a')
      await next.promise
      yield Buffer.from('b')
    }
    const source = new Arriving(content(), 2)
    assert.deepEqual([source.isIdle(), source.isIdle()], [false, false], 'nobody waits')
    await source.peek(1)
    const more = source.peek(2)
    await Promise.resolve()
    assert.deepEqual([source.isIdle(), source.isIdle(), source.isIdle()], [false, true, true])
    next.resolve()
    await more
    assert.equal(source.isIdle(), false)
  })

  it('tells its sender that nobody reads on', async () => {
    let isClosed = false
    async function* content() {
      try {
        yield Buffer.from('a')
        yield Buffer.from('b')
      } finally {
        isClosed = true
      }
    }
    const source = new Arriving(content(), 2)
    await source.peek(1)
    await source.close()
    assert.ok(isClosed)
  })
})
