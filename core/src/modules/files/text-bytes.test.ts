import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Judgement, judgeType } from './judge-type.ts'
import { DEFAULT_EXTENSIONS, INLINE_TYPES } from './kinds.ts'

const judge = (filename: string, head: Uint8Array) => judgeType({ filename, head, allowed: DEFAULT_EXTENSIONS })

function isRefused(judgement: Judgement, what: string): void {
  assert.ok('problem' in judgement && /content/.test(judgement.problem), `${what}: ${JSON.stringify(judgement)}`)
}

describe('text', () => {
  it('may be in any encoding that people still write', async () => {
    const wide = Buffer.from('\ufeffGrüße 🎉', 'utf16le')
    const texts = {
      'UTF-8 with a mark': Buffer.from('\ufeffa;b\r\n1;2\r\n'),
      'UTF-16': wide,
      'UTF-16, the other way': Buffer.from(wide).swap16(),
      'UTF-16, cut in half': wide.subarray(0, -1),
      'Windows-1252': Buffer.from('Gr\xf6\xdfe;Pre\x80is\r\n', 'latin1'),
      'UTF-8, cut in half': Buffer.from('Größe').subarray(0, 3),
      'one letter': Buffer.from('a'),
      'pages with tabs': Buffer.from('a\tb\f\r\n'),
    }
    for (const [what, head] of Object.entries(texts))
      assert.deepEqual(await judge('a.csv', head), { contentType: 'text/csv' }, what)
  })

  it('may begin with letters that are the mark of another format', async () => {
    for (const beginning of [
      'BMW',
      'MZ',
      'GIF or PNG',
      'MAC addresses',
      'PARENT,CHILD',
      'AC1015',
      'solid ',
      'BEGIN:VCARD',
    ])
      assert.deepEqual(await judge('a.csv', Buffer.from(`${beginning} …\r\n`)), { contentType: 'text/csv' }, beginning)
    const gGroup = Buffer.from(`G${'x'.repeat(187)}G`)
    assert.deepEqual(await judge('a.txt', gGroup), { contentType: 'text/plain' })
    isRefused(await judge('a.bmp', Buffer.from('BMW and others')), 'text as a picture')
    isRefused(await judge('a.gif', Buffer.from('GIF89a is a format')), 'text as a picture')
  })

  it('has no control characters, also behind a mark of UTF-16', async () => {
    for (const head of ['a\0', 'a\x1b[31m', 'a\x07', '\x7f', '\ufeff\0'].map((text) => Buffer.from(text)))
      isRefused(await judge('a.txt', head), head.toString('hex'))
    isRefused(await judge('a.txt', Buffer.from('\ufeffa\0b', 'utf16le')), 'NUL in UTF-16')
    isRefused(await judge('a.txt', Buffer.from('fffe00d80a00', 'hex')), 'half a character')
  })

  it('is XML only when it begins as XML does, and no XML is shown in place of being saved', async () => {
    for (const text of ['<a/>', ' \n<a/>', '\ufeff<a/>', '<svg onload="alert(1)"/>'])
      assert.deepEqual(await judge('a.xml', Buffer.from(text)), { contentType: 'application/xml' }, text)
    assert.deepEqual(await judge('a.xml', Buffer.from('\ufeff<a/>', 'utf16le')), { contentType: 'application/xml' })
    isRefused(await judge('a.xml', Buffer.from('a;b')), 'a table')
    for (const type of [
      'application/xml',
      'application/json',
      'text/html',
      'image/svg+xml',
      'application/pdf',
      'text/csv',
    ])
      assert.equal(INLINE_TYPES.has(type), false, type)
  })
})
