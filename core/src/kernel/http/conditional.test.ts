import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { describe, it } from 'node:test'
import type { FastifyRequest } from 'fastify'
import { isKnown } from './conditional.ts'
import { type Finished, opened } from './finish.ts'

describe('If-None-Match', () => {
  it('names a representation by its tag in any strength, in a list, or by a star that stands alone', () => {
    for (const etag of ['"abc"', 'W/"abc"']) {
      for (const given of ['"abc"', 'W/"abc"', '*', ' * ', '"x","abc"', '"x" ,\tW/"abc", ""'])
        assert.equal(isKnown(etag, given), true, given)
      for (const given of [undefined, '', ',', 'abc', '"ab"', '"ABC"', 'w/"abc"', '"*"', '*, "x"', '"abc', '"x""abc"'])
        assert.equal(isKnown(etag, given), false, given)
    }
  })
})

describe('an answer with a tag', () => {
  const answer: Finished = {
    status: 200,
    body: '{}',
    headers: { etag: '"abc"', 'content-type': 'text/csv', vary: 'Cookie' },
    problem: false,
  }
  const declared = new Map([
    [200, String],
    [304, null],
  ])
  // All that is read of a request.
  const request = { method: 'GET', headers: { 'if-none-match': '"abc"' } } as unknown as FastifyRequest
  const sent = (serializers: Map<number, typeof String | null>, own: Partial<Finished> = {}) =>
    opened({ serializers }, { ...answer, ...own }, request)

  it('is left out for who has it, with all that says what it would have been', async () => {
    assert.deepEqual(await sent(declared), {
      status: 304,
      body: null,
      headers: { etag: '"abc"', vary: 'Cookie' },
      problem: false,
    })
  })

  it('is sent by routes that declare no 304, and when it is no 200 or has no tag', async () => {
    assert.equal((await sent(new Map([[200, String]]))).status, 200)
    assert.equal((await sent(declared, { status: 202 })).status, 202)
    assert.equal((await sent(declared, { headers: {} })).status, 200)
  })

  it('opens no stream for who has it, and closes one that is open', async () => {
    const stream = Readable.from(['text'])
    assert.equal((await sent(declared, { stream })).stream, undefined)
    assert.equal(stream.destroyed, true)
    const lazy = () => assert.fail('it was opened')
    assert.equal((await sent(declared, { stream: lazy })).status, 304)
  })
})
