import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import sharp, { type Sharp } from 'sharp'
import { AppError } from '#kernel'
import { encodePicture } from './encode.ts'
import { avifOf, gifOf, paint, pngOf, webpOf } from './pictures.fixture.ts'
import { readPicture } from './read.ts'
import type { PictureKind } from './variants.ts'

const MiB = 1024 * 1024
const stream = (content: Buffer) => Readable.from([content])
const encode = async (kind: PictureKind, content: Buffer) => encodePicture(kind, await readPicture(stream(content)))

/** The largest variant in WebP, as pixels and as what it says of itself. */
async function shown(kind: PictureKind, content: Buffer) {
  const { variants } = await encode(kind, content)
  const largest = variants.find(({ size, format }) => size === 256 && format === 'webp')?.content ?? Buffer.alloc(0)
  const { data, info } = await sharp(largest).ensureAlpha().raw().toBuffer({ resolveWithObject: true })
  const at = (x: number, y: number) => [...data.subarray((y * info.width + x) * 4, (y * info.width + x) * 4 + 4)]
  return { at, metadata: await sharp(largest).metadata(), width: info.width, height: info.height }
}

/** Left red, right blue. */
const halves = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: '#0000ff' } }).composite([
    { input: { create: { width: width / 2, height, channels: 3, background: '#ff0000' } }, left: 0, top: 0 },
  ])

async function refusal(content: Buffer): Promise<[number, string, string]> {
  try {
    await encode('avatar', content)
  } catch (error) {
    assert.ok(error instanceof AppError, String(error))
    const [problem] = error.details.errors ?? []
    return [error.status, error.code, `${problem?.pointer} ${problem?.detail}`]
  }
  return [200, '', '']
}

describe('a picture', () => {
  const FORMATS: Record<string, (picture: Sharp) => Sharp> = {
    JPEG: (picture) => picture.jpeg(),
    'progressive JPEG': (picture) => picture.jpeg({ progressive: true }),
    'JPEG of a printer': (picture) => picture.toColourspace('cmyk').jpeg(),
    'grey JPEG': (picture) => picture.greyscale().jpeg(),
    PNG: (picture) => picture.png(),
    'PNG of 16 bits': (picture) => picture.toColourspace('rgb16').png(),
    'PNG in passes': (picture) => picture.png({ progressive: true }),
    WebP: (picture) => picture.webp(),
    GIF: (picture) => picture.gif(),
    AVIF: (picture) => picture.avif({ effort: 0 }),
  }
  for (const [name, as] of Object.entries(FORMATS))
    test(`in ${name} is taken, and becomes WebP and PNG in three sizes`, async () => {
      const { variants, ...size } = await encode('avatar', await as(halves(400, 300)).toBuffer())
      assert.deepEqual(size, { width: 256, height: 256 })
      const made = await Promise.all(
        variants.map(async ({ size, format, content }) => {
          const { width, height, format: read } = await sharp(content).metadata()
          assert.deepEqual([width, height, read], [size, size, format])
          return `${size} ${format}`
        }),
      )
      assert.deepEqual(made, ['64 webp', '64 png', '128 webp', '128 png', '256 webp', '256 png'])
    })

  test('stands upright, whatever its camera said, and says nothing of where it was taken', async () => {
    const exif = { IFD0: { Copyright: 'SECRET-OWNER' }, IFD3: { GPSLatitude: '52/1 30/1 0/1' } }
    const sent = await halves(400, 400).withExif(exif).withMetadata({ orientation: 6 }).jpeg().toBuffer()
    assert.ok(sent.includes('SECRET-OWNER'))
    const { at, metadata } = await shown('avatar', sent)
    // Turned clockwise: the left half is above.
    assert.deepEqual([at(128, 20)[0]! > 200, at(128, 20)[2]! < 60], [true, true]) // there are four of each
    assert.deepEqual([at(128, 236)[0]! < 60, at(128, 236)[2]! > 200], [true, true]) // as above
    assert.deepEqual([metadata.exif, metadata.icc, metadata.xmp, metadata.orientation], Array(4).fill(undefined))
    for (const { content } of (await encode('avatar', sent)).variants) assert.ok(!content.includes('SECRET'))
  })

  test('in colours of another space shows the same colours in sRGB', async () => {
    const plain = sharp({ create: { width: 64, height: 64, channels: 3, background: '#c03020' } })
    const { at } = await shown('avatar', await plain.withIccProfile('p3').png().toBuffer())
    const [red = 0, green = 0, blue = 0] = at(32, 32)
    assert.ok(Math.abs(red - 0xc0) < 6 && Math.abs(green - 0x30) < 6 && Math.abs(blue - 0x20) < 6, `${at(32, 32)}`)
  })

  test('of a person fills a square around its middle; what is too small is enlarged', async () => {
    const { at, width, height } = await shown('avatar', await halves(800, 100).png().toBuffer())
    assert.deepEqual([width, height], [256, 256])
    assert.ok(at(20, 128)[0]! > 200 && at(236, 128)[2]! > 200, 'the middle, with both colours') // four of each
    for (const [w, h] of [
      [1, 1],
      [1, 16_000],
      [16_000, 1],
      [3, 7],
    ] as const) {
      // pairs
      const one = await encode('avatar', await paint(w, h))
      assert.deepEqual([one.width, one.height], [256, 256])
    }
  })

  test('of a tenant keeps its form and what is transparent, and is never enlarged', async () => {
    const clear = { width: 600, height: 300, channels: 4, background: { r: 255, g: 0, b: 0, alpha: 0 } } as const // of Create
    const { at, width, height } = await shown('logo', await sharp({ create: clear }).png().toBuffer())
    assert.deepEqual([width, height, at(10, 10)[3]], [512, 256, 0])
    const sizes = async (w: number, h: number) => {
      const { variants } = await encode('logo', await paint(w, h))
      const read = variants.filter(({ format }) => format === 'png').map(({ content }) => sharp(content).metadata())
      return (await Promise.all(read)).map(({ width, height }) => `${width}x${height}`)
    }
    assert.deepEqual(await sizes(4000, 500), ['256x32', '512x64', '1024x128'])
    assert.deepEqual(await sizes(100, 50), ['100x50', '100x50', '100x50'])
    assert.deepEqual(await sizes(100, 1000), ['7x64', '13x128', '26x256'])
  })

  test('that moves shows its first frame', async () => {
    const [red, blue] = [await paint(50, 50, '#ff0000'), await paint(50, 50, '#0000ff')]
    for (const as of ['gif', 'webp'] as const) {
      // names of methods
      const moving = await sharp([red, blue], { join: { animated: true } })
        [as]()
        .toBuffer()
      assert.equal((await sharp(moving).metadata()).pages, 2)
      const { at, metadata } = await shown('avatar', moving)
      assert.ok(at(128, 128)[0]! > 200 && at(128, 128)[2]! < 60) // four of each
      assert.equal(metadata.pages, undefined)
    }
  })
})

describe('what is refused', () => {
  const media = (brand: string, more = '') =>
    Buffer.concat([
      Buffer.from([0, 0, 0, 16 + more.length]),
      Buffer.from(`ftyp${brand}\0\0\0\0${more}`),
      Buffer.alloc(100),
    ])
  const NAMED: [string, Buffer, RegExp][] = [
    ['HEIC', media('heic', 'mif1heic'), /is a HEIC picture.+JPEG/],
    ['HEIF', media('mif1', 'mif1heic'), /is a HEIC picture/],
    ['film', media('isom', 'mp42'), /is a film/],
    ['moving AVIF', media('avis'), /moving AVIF/],
    ['SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'), /is an SVG/],
    ['SVG behind a prologue', Buffer.from('\ufeff <?xml version="1.0"?><!DOCTYPE svg><svg/>'), /is an SVG/],
    ['BMP', Buffer.concat([Buffer.from('BM'), Buffer.alloc(100)]), /is a BMP/],
    ['TIFF', Buffer.concat([Buffer.from('II*\0'), Buffer.alloc(100)]), /is a TIFF/],
    ['PDF', Buffer.from('%PDF-1.7 …'), /is a PDF/],
    ['icon', Buffer.from([0, 0, 1, 0, 1, 0, 16, 16]), /is a Windows icon/],
    ['text', Buffer.from('<html><body>hello'), /none of the pictures/],
    ['one byte', Buffer.from('x'), /none of the pictures/],
    ['zeros', Buffer.alloc(5000), /none of the pictures/],
  ]
  for (const [name, content, says] of NAMED)
    test(`${name} is told by name what to send instead`, async () => {
      const [status, code, detail] = await refusal(content)
      assert.deepEqual([status, code], [415, 'unsupported_media_type'])
      assert.match(detail, /^#\/file /)
      assert.match(detail, says)
    })

  test('nothing at all', async () => {
    assert.deepEqual(await refusal(Buffer.alloc(0)), [400, 'invalid_request', '#/file is empty'])
  })

  test('a HEIC that says it were AVIF', async () => {
    const avif = await sharp(await paint(64, 64))
      .avif({ effort: 0 })
      .toBuffer()
    const other = Buffer.from(avif.toString('latin1').replaceAll('av01', 'hvc1'), 'latin1')
    assert.equal((await refusal(other))[0], 415)
  })

  test('a picture that is cut off anywhere, or damaged', async () => {
    const whole = await Promise.all(
      (['jpeg', 'png', 'webp', 'gif', 'avif'] as const).map((as) => sharp(NOISE.data, NOISE)[as]().toBuffer()), // names of methods
    )
    for (const content of whole)
      for (const share of [0.02, 0.3, 0.7, 0.95]) {
        const cut = content.subarray(0, Math.floor(content.length * share))
        assert.deepEqual(
          (await refusal(cut)).slice(0, 2),
          [415, 'unsupported_media_type'],
          `${content.subarray(0, 4)} ${share}`,
        )
      }
    for (const content of whole) {
      const damaged = Buffer.from(content)
      damaged.fill(0xa5, 40, damaged.length - 20)
      assert.equal((await refusal(damaged))[0], 415)
    }
  })

  test('more than 10 MiB, without reading on', async () => {
    let read = 0
    async function* endless() {
      for (;;) {
        read += MiB
        yield Buffer.alloc(MiB)
      }
    }
    await assert.rejects(readPicture(endless()), (error) => error instanceof AppError && error.status === 413)
    assert.equal(read, 11 * MiB)
  })
})

const noise = Buffer.alloc(300 * 200 * 3)
for (let at = 0; at < noise.length; at++) noise[at] = (at * 7919) % 251
const NOISE = { data: noise, raw: { width: 300, height: 200, channels: 3 } } as const // a number of channels

describe('a bomb', () => {
  const BOMBS: Record<string, Buffer> = {
    png: pngOf(30_000, 30_000),
    'wide.png': pngOf(16_384, 16_384),
    'frames.gif': gifOf(100, 100, 10_000),
    webp: webpOf(16_383, 16_383),
    'passes.png': pngOf(4100, 4100, { isInPasses: true }),
  }
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bombs-'))
    // More than decoding may hold, less than a picture may have.
    BOMBS.avif = await avifOf(4200, 4200)
    for (const [name, content] of Object.entries(BOMBS)) await writeFile(join(folder, name), content)
    await writeFile(join(folder, 'harmless'), await paint(8, 8))
  })
  after(() => rm(folder, { recursive: true, force: true }))

  test('is refused by what its header claims, in a few MiB of memory', async () => {
    const script = fileURLToPath(new URL('./bomb.fixture.ts', import.meta.url))
    const files = Object.keys(BOMBS).map((name) => join(folder, name))
    const { stdout } = await promisify(execFile)(process.execPath, [script, join(folder, 'harmless'), ...files])
    const { grownMiB, refusals } = JSON.parse(stdout)
    assert.deepEqual(
      refusals.map(([status]: [number]) => status),
      Object.keys(BOMBS).map(() => 413),
    )
    for (const [, detail] of refusals) assert.match(detail, /^#\/file has [\d, ]+ × \d+ pixels/)
    // A gigabyte or more, if one of them were decoded.
    assert.ok(grownMiB < 100, `${grownMiB} MiB`)
  })
})

test('encoding does not hold the event loop', async () => {
  const large = await sharp({ create: { width: 4000, height: 4000, channels: 3, background: '#123456' } })
    .png({ progressive: true })
    .toBuffer()
  let ticks = 0
  const timer = setInterval(() => ticks++, 1)
  try {
    for (let round = 0; round < 3; round++) await encode('avatar', large)
  } finally {
    clearInterval(timer)
  }
  assert.ok(ticks >= 20, `${ticks} ticks`)
})
