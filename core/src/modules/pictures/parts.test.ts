import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { describe, test } from 'node:test'
import { deflateSync } from 'node:zlib'
import sharp from 'sharp'
import { AppError } from '#kernel'
import { encodePicture } from './encode.ts'
import { boxOf, chunk, gifOf, paint, repeated } from './pictures.fixture.ts'
import { readPicture } from './read.ts'

const read = (content: Buffer) => readPicture(Readable.from([content]))

/** How a picture is refused before its decoder has seen any of it. */
async function refusal(content: Buffer): Promise<[number, string]> {
  const error = await read(content).then(
    () => undefined,
    (error) => error,
  )
  assert.ok(error instanceof AppError, String(error))
  return [error.status, error.details.errors?.[0]?.detail ?? '']
}

const taken = async (content: Buffer) => assert.equal((await encodePicture('avatar', await read(content))).width, 256)

const red = () => sharp({ create: { width: 64, height: 64, channels: 3, background: '#ff0000' } })

describe('a JPEG', () => {
  /** Empty notes behind its first two bytes. */
  const withNotes = (jpeg: Buffer, count: number) =>
    Buffer.concat([jpeg.subarray(0, 2), repeated(Buffer.from('ffe10002', 'hex'), count), jpeg.subarray(2)])

  test('of more than 1,000 segments is refused before it is decoded, and one of hundreds is taken', async () => {
    const jpeg = await red().jpeg().toBuffer()
    const tooMany = [413, 'has more than 1000 segments, which are the most']
    for (const count of [1_000, 2_600_000]) assert.deepEqual(await refusal(withNotes(jpeg, count)), tooMany)
    await taken(withNotes(jpeg, 900))
  })

  test('of more than 100 scans is refused before it is decoded, wherever they stand', async () => {
    const jpeg = await red().jpeg({ progressive: true }).toBuffer()
    const end = jpeg.length - 2
    // No encoder writes FF in a header of a scan.
    const last = jpeg.subarray(jpeg.lastIndexOf(Buffer.from('ffda', 'hex')), end)
    const withScans = (count: number, between = '') =>
      Buffer.concat([jpeg.subarray(0, end), repeated(Buffer.concat([Buffer.from(between, 'hex'), last]), count)])
    // Bytes between two scans, markers without a length and repeated FF are passed over by decoders.
    for (const between of ['', '0000', 'ffd0', 'ff05', 'ffffff', 'ff00ff'])
      assert.deepEqual(await refusal(withScans(100, between)), [413, 'has more than 100 scans, which are the most'])
    await taken(jpeg)
  })

  test('is read up to its end: a picture behind it is another one', async () => {
    const jpeg = await red().jpeg().toBuffer()
    const { content } = await read(Buffer.concat([jpeg, withNotes(jpeg, 5_000)]))
    assert.deepEqual(content, jpeg)
  })

  test('with all that cameras and programs write is taken', async () => {
    const profile = await red()
      .withIccProfile('p3')
      .withExif({ IFD0: { Copyright: 'Ann' } })
      .jpeg()
      .toBuffer()
    const big = Buffer.concat([Buffer.from('ffe2ffff', 'hex'), Buffer.alloc(65_533, 7)])
    await taken(Buffer.concat([profile.subarray(0, 2), repeated(big, 100), profile.subarray(2)]))
  })
})

describe('a PNG', () => {
  test('of more than 10,000 chunks is refused before it is decoded', async () => {
    const png = await red().png().toBuffer()
    const texts = repeated(chunk('tEXt', Buffer.from('a\0b')), 10_000)
    const sent = Buffer.concat([png.subarray(0, 33), texts, png.subarray(33)])
    assert.deepEqual(await refusal(sent), [413, 'has more than 10000 chunks, which are the most'])
  })

  test('shows its decoder no text, which may unpack to any amount, and of everything else one', async () => {
    const png = await red()
      .withIccProfile('p3')
      .withExif({ IFD0: { Copyright: 'Ann' } })
      .png()
      .toBuffer()
    const bomb = Buffer.concat([Buffer.from('a\0\0'), deflateSync(Buffer.alloc(10_000_000))])
    const texts = Buffer.concat(['zTXt', 'iTXt', 'tEXt', 'abCD'].map((type) => chunk(type, bomb)))
    const profiles = repeated(chunk('iCCP', bomb), 3)
    const end = png.length - 12
    const sent = Buffer.concat([png.subarray(0, 33), texts, png.subarray(33, end), profiles, png.subarray(end)])
    const { content } = await read(sent)
    const types = [...content.toString('latin1').matchAll(/IHDR|zTXt|iTXt|tEXt|abCD|iCCP|eXIf|IDAT|IEND/g)].map(String)
    assert.deepEqual(types, ['IHDR', 'iCCP', 'eXIf', 'IDAT', 'IEND'])
    await taken(sent)
  })
})

describe('a picture that moves', () => {
  test('as a GIF of more than 10,000 blocks is refused before it is decoded', async () => {
    for (const count of [10_001, 600_000])
      assert.deepEqual(await refusal(gifOf(1, 1, count)), [413, 'has more than 10000 blocks, which are the most'])
    const notes = repeated(Buffer.from('21fe010000', 'hex'), 10_001)
    const gif = await red().gif().toBuffer()
    const colors = 13 + 3 * 2 ** ((gif.readUInt8(10) & 7) + 1)
    assert.equal((await refusal(Buffer.concat([gif.subarray(0, colors), notes, gif.subarray(colors)])))[0], 413)
  })

  test('as a GIF is read up to its end', async () => {
    const gif = await red().gif().toBuffer()
    const { content } = await read(Buffer.concat([gif, Buffer.from('anything')]))
    assert.deepEqual(content, gif)
  })

  test('as a WebP of more than 10,000 chunks is refused before it is decoded', async () => {
    const webp = await red().webp().toBuffer()
    const sent = Buffer.concat([webp, repeated(Buffer.from('ANMF\0\0\0\0'), 10_000)])
    assert.deepEqual(await refusal(sent), [413, 'has more than 10000 chunks, which are the most'])
  })
})

describe('an AVIF', () => {
  const still = (channels: 3 | 4 = 3) =>
    sharp({ create: { width: 64, height: 64, channels, background: { r: 255, g: 0, b: 0, alpha: 0.5 } } })
      .avif({ effort: 0 })
      .toBuffer()

  /** The same with its last frame so many times more, each behind these bytes. */
  async function withFrames(count: number, before = Buffer.alloc(0)): Promise<Buffer> {
    const avif = await still()
    const stream = avif.subarray(avif.indexOf('mdat') + 4)
    const frame = stream.subarray(stream.lastIndexOf(Buffer.from([0x32])))
    const more = repeated(Buffer.concat([before, frame]), count)
    const sent = Buffer.concat([avif, more])
    const lengthAt = sent.indexOf(lengthOf(stream.length), sent.indexOf('iloc'))
    sent.writeUInt32BE(stream.length + more.length, lengthAt)
    sent.writeUInt32BE(8 + stream.length + more.length, sent.indexOf('mdat') - 4)
    return sent
  }
  const lengthOf = (bytes: number) => {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(bytes)
    return length
  }

  test('of more than 8 frames is refused before it is decoded, also behind what decoders pass over', async () => {
    const tooMany = [413, 'has more than 8 frames, which are the most']
    for (const before of [Buffer.alloc(0), Buffer.alloc(3), Buffer.from([0x12, 0]), Buffer.from([0x7a, 0x81, 0, 9])])
      assert.deepEqual(await refusal(await withFrames(8, before)), tooMany)
    await taken(await withFrames(2))
  })

  test('with what is transparent is taken', async () => {
    await taken(await still(4))
  })

  test('that is put together from tiles or moves is told what to send instead', async () => {
    const avif = await still()
    const as = (type: string) => Buffer.from(avif.toString('latin1').replace('av01', type), 'latin1')
    for (const type of ['grid', 'iovl', 'iden', 'hvc1'])
      assert.deepEqual(await refusal(as(type)), [415, 'is put together from other pictures: send a JPEG or PNG'])
    assert.deepEqual(await refusal(Buffer.concat([avif, boxOf('moov')])), [415, 'is not one still AVIF'])
  })

  test('of more than 1,000 items is refused, however few of them are pictures', async () => {
    const avif = await still()
    const at = avif.indexOf('iloc') - 4
    // Each of them nowhere: ten bytes.
    const items = Buffer.concat([Buffer.from([2, 0, 0, 0, 0, 0]), lengthOf(1_001), Buffer.alloc(10_010)])
    const iloc = Buffer.concat([lengthOf(8 + items.length), Buffer.from('iloc'), items])
    const length = avif.readUInt32BE(at)
    const sent = Buffer.concat([avif.subarray(0, at), iloc, avif.subarray(at + length)])
    const meta = sent.indexOf('meta') - 4
    sent.writeUInt32BE(sent.readUInt32BE(meta) + iloc.length - length, meta)
    assert.deepEqual(await refusal(sent), [413, 'has more than 1000 items, which are the most'])
  })

  test('of more than 1,000 boxes, or of which decoders read different things, is refused', async () => {
    const avif = await still()
    const metaAt = avif.indexOf('meta') - 4
    const meta = avif.subarray(metaAt, metaAt + avif.readUInt32BE(metaAt))
    const many = Buffer.concat([avif, repeated(boxOf('free'), 1_000)])
    assert.deepEqual(await refusal(many), [413, 'has more than 1000 boxes, which are the most'])
    for (const content of [Buffer.concat([avif, meta]), Buffer.concat([avif, Buffer.from([0, 0, 0, 4]), meta])])
      assert.equal((await refusal(content))[0], 415)
  })
})

test('a picture of any format whose every byte is changed in turn ends in an answer', async () => {
  const small = await paint(4, 4)
  for (const as of ['jpeg', 'png', 'gif', 'webp', 'avif'] as const) {
    const content = await sharp(small)[as]().toBuffer()
    for (let at = 12; at < Math.min(content.length, 700); at++)
      for (const value of [0, 0xff]) {
        const changed = Buffer.from(content)
        changed[at] = value
        const error = await read(changed).then(
          () => null,
          (error) => error,
        )
        assert.ok(error === null || [413, 415].includes(error.status), `${as} ${at}: ${error}`)
      }
  }
})
