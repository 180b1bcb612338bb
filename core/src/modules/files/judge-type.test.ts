import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { SEED } from '../../testing/seed.ts'
import { HEAD_BYTES, type Judgement, judgeType } from './judge-type.ts'
import { DEFAULT_EXTENSIONS, kindOf } from './kinds.ts'
import { mpeg4, samples, strangers, zip } from './samples.fixture.ts'

const real = await samples()
const strange = await strangers()
const allowed = DEFAULT_EXTENSIONS

const judge = (filename: string, head: Uint8Array, declared?: string, also: string[] = []) =>
  judgeType({ filename, head, declared, allowed: [...allowed, ...also] })

function isRefused(judgement: Judgement, problem: RegExp, what: string): void {
  assert.ok('problem' in judgement && problem.test(judgement.problem), `${what}: ${JSON.stringify(judgement)}`)
}

/** Kinds whose files look the same in their first bytes, or are taken for each other by those who name them. */
const ALIKE = [
  'doc xls ppt',
  'txt csv md',
  'jpg jpeg',
  'tif tiff',
  'heic heif avif',
  'm4a mp4 mov',
  'zip docx xlsx pptx odt ods odp',
].map((group) => group.split(' '))
const isAlike = (a: string, b: string) => a === b || ALIKE.some((group) => group.includes(a) && group.includes(b))
/** Text of any kind may stand under the names of text; each kind has its own test. */
const isTextual = (extension: string) => kindOf(extension)?.bytes === 'text'

describe('the type of a file', () => {
  it('is that of its extension when its content agrees, for every kind that is taken', async () => {
    assert.deepEqual(Object.keys(real).sort(), [...allowed].sort())
    for (const [extension, head] of Object.entries(real)) {
      const contentType = kindOf(extension)?.contentType
      assert.ok(contentType)
      for (const declared of [
        undefined,
        '',
        'application/octet-stream',
        contentType,
        `${contentType.toUpperCase()}; a=b`,
      ])
        assert.deepEqual(await judge(`A.${extension.toUpperCase()}`, head, declared), { contentType }, extension)
    }
  })

  it('is refused when the content is of another kind, whatever two kinds these are', async () => {
    for (const extension of allowed) {
      for (const [other, head] of Object.entries(real)) {
        if (isAlike(extension, other) || (isTextual(extension) && isTextual(other))) continue
        isRefused(await judge(`a.${extension}`, head), /content is not that of/, `${other} as ${extension}`)
      }
    }
  })

  it('is refused when the content is of no kind that is taken, or empty', async () => {
    for (const extension of allowed) {
      for (const [what, head] of Object.entries(strange)) {
        if (what === 'a page' && isTextual(extension)) continue
        isRefused(await judge(`a.${extension}`, head), /content|empty/, `${what} as ${extension}`)
      }
    }
  })

  it('is refused when one is declared that is no alias of it, or no type at all', async () => {
    const pdf = real.pdf ?? assert.fail()
    for (const declared of [
      'image/png',
      'text/html',
      'pdf',
      'application/pdf/x',
      'application/pdf evil',
      '*/*',
      ';',
      '\0',
    ])
      isRefused(await judge('a.pdf', pdf, declared), /declared type/, declared)
    assert.deepEqual(await judge('a.csv', real.csv ?? pdf, 'application/vnd.ms-excel'), { contentType: 'text/csv' })
    isRefused(await judge('a.txt', pdf, 'text/plain'), /It looks like a file named \.pdf/, 'text/plain')
  })

  it('is refused without an extension that is taken, and when none is taken at all', async () => {
    const pdf = real.pdf ?? assert.fail()
    for (const name of [
      'a',
      'a.',
      '.pdf',
      'a.pdf.exe',
      'a.html',
      'a.svg',
      'a.js',
      'a.pdf ',
      'a.pdf__$DATA',
      'a.рdf',
      '',
    ])
      isRefused(await judge(name, pdf), /extension|are not taken/, name)
    isRefused(await judgeType({ filename: 'a.pdf', head: pdf, allowed: [] }), /not taken\.$/, 'nothing')
    isRefused(await judgeType({ filename: 'a', head: pdf, allowed: ['', '.'] }), /extension/, 'an empty word')
  })
})

describe('an Office document', () => {
  it('is taken where its first bytes show no more than a zip, and refused where they show another', async () => {
    const first = zip({ 'a.xml': '<a/>', 'b.xml': '<b/>' })
    for (const extension of ['docx', 'xlsx', 'pptx', 'odt', 'ods', 'odp'])
      assert.ok('contentType' in (await judge(`a.${extension}`, first)), extension)
    isRefused(await judge('a.docx', real.xlsx ?? first), /\.xlsx/, 'xlsx')
    isRefused(await judge('a.ods', real.odt ?? first), /\.odt/, 'odt')
    assert.deepEqual(await judge('a.zip', real.docx ?? first), { contentType: 'application/zip' })
    isRefused(await judge('a.docx', real.doc ?? first), /content/, 'the old format')
  })
})

describe('a picture of the family of MPEG-4', () => {
  it('is no film, and a film is no picture', async () => {
    for (const brand of ['heic', 'mif1', 'avif']) isRefused(await judge('a.mp4', mpeg4(brand)), /content/, brand)
    for (const brand of ['isom', 'qt', 'M4A', 'M4V']) isRefused(await judge('a.heic', mpeg4(brand)), /content/, brand)
    isRefused(await judge('a.heic', mpeg4('avif')), /content/, 'avif')
    isRefused(await judge('a.avif', mpeg4('heic')), /content/, 'heic')
  })
})

describe('a large TIFF', () => {
  it('is known by its first bytes, though its directory stands behind them', async () => {
    const header = Buffer.alloc(HEAD_BYTES, 7)
    header.set([0x49, 0x49, 0x2a, 0, 0, 0, 0, 0x10])
    assert.deepEqual(await judge('a.tif', header), { contentType: 'image/tiff' })
  })
})

describe('an extension that an operator adds', () => {
  it('is served as opaque bytes, unless it is one that is known', async () => {
    const bytes = Buffer.from([1, 2, 3, 0])
    const opaque = { contentType: 'application/octet-stream' }
    assert.deepEqual(await judge('a.dwg', bytes, 'image/vnd.dwg', ['dwg']), opaque)
    assert.deepEqual(await judge('a.dwg', Buffer.from('AC1027\0\0\0'), undefined, ['dwg']), opaque)
    assert.deepEqual(await judge('a.kmz', zip({ 'doc.kml': '<kml/>' }), undefined, ['kmz']), opaque)
    assert.deepEqual(await judge('a.svg', Buffer.from('<?xml version="1.0"?><svg/>'), undefined, ['svg']), opaque)
    assert.deepEqual(await judge('a.html', strange['a page'] ?? bytes, 'text/html', ['html']), opaque)
    assert.deepEqual(await judge('a.log', Buffer.from('GET /'), 'text/plain', ['log']), { contentType: 'text/plain' })
  })

  it('opens no way for content or declared types that are known to be others', async () => {
    for (const other of ['png', 'pdf', 'mp4', 'rar'])
      isRefused(await judge('a.dwg', real[other] ?? assert.fail(), undefined, ['dwg']), /content/, other)
    isRefused(
      await judge('a.dwg', strange['a program for Linux'] ?? assert.fail(), undefined, ['dwg']),
      /content/,
      'ELF',
    )
    isRefused(await judge('a.dwg', Buffer.from([1, 0]), 'image/png', ['dwg']), /declared/, 'image/png')
  })
})

describe('bytes of a stranger', () => {
  it('lead to a type or a sentence, never to an error or to a wait', { timeout: 60_000 }, async () => {
    const heads = [...Object.values(real), ...Object.values(strange)]
    const mutated = fc
      .tuple(
        fc.constantFrom(...heads),
        fc.array(fc.tuple(fc.nat(HEAD_BYTES), fc.nat(255)), { maxLength: 8 }),
        fc.nat(HEAD_BYTES),
        fc.uint8Array({ maxLength: 64 }),
      )
      .map(([head, changes, length, tail]) => {
        const bytes = Buffer.concat([head.subarray(0, Math.max(1, length % (head.length + 1))), tail])
        for (const [at, byte] of changes) if (bytes.length > 0) bytes[at % bytes.length] = byte
        return bytes
      })
    await fc.assert(
      fc.asyncProperty(
        mutated,
        fc.constantFrom(...allowed, 'dwg'),
        fc.option(fc.string()),
        async (head, ending, type) => {
          const judgement = await judge(`a.${ending}`, head, type ?? undefined, ['dwg'])
          const contentType = kindOf(ending)?.contentType ?? 'application/octet-stream'
          if ('contentType' in judgement) assert.equal(judgement.contentType, contentType)
          else assert.match(judgement.problem, /^[A-Z].*\.$/)
        },
      ),
      { seed: SEED, numRuns: 3_000 },
    )
  })
})
