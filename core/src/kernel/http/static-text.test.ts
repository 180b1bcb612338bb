import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { answerStatic, StaticText } from './static-text.ts'

const text = new StaticText('Grüezi! '.repeat(500))
const encodingFor = async (header?: string) =>
  (await answerStatic(text, header === undefined ? {} : { 'accept-encoding': header })).headers['content-encoding'] ??
  null

describe('a text that stays the same', () => {
  it('is packed as the client takes it, the smallest way first', async () => {
    assert.equal(await encodingFor(), null)
    assert.equal(await encodingFor(''), null)
    assert.equal(await encodingFor('gzip, deflate, br, zstd'), 'br')
    assert.equal(await encodingFor('GZIP;q=0.5, deflate'), 'gzip')
    assert.equal(await encodingFor('br;q=0, *'), 'gzip')
    assert.equal(await encodingFor('*;q=0, gzip; q=0.1'), 'gzip')
    assert.equal(await encodingFor('br;q=nonsense, gzip;q=0'), null)
    assert.equal(await encodingFor('identity'), null)
  })

  it('is the same however it is packed, and once packed the same bytes', async () => {
    const plain = await text.bytes(null)
    assert.deepEqual(brotliDecompressSync(await text.bytes('br')), plain)
    assert.deepEqual(gunzipSync(await text.bytes('gzip')), plain)
    assert.equal(await text.bytes('br'), await text.bytes('br'))
    assert.ok((await text.bytes('br')).length < plain.length / 10)
  })

  it('is not sent to whoever has it, and to everybody else', async () => {
    const statusFor = async (tags: string) => (await answerStatic(text, { 'if-none-match': tags })).status
    const strong = text.etag.slice('W/'.length)
    for (const tags of [text.etag, strong, '*', ` "other" , ${text.etag}`])
      assert.equal(await statusFor(tags), 304, tags)
    for (const tags of ['', '"other"', strong.slice(1, -1), new StaticText('Other').etag])
      assert.equal(await statusFor(tags), 200, tags)
  })
})
