import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { SEED } from '../../testing/seed.ts'
import { contentDisposition } from './disposition.ts'
import { readFilename } from './names.ts'

const kept = (given: string) => {
  const read = readFilename(given)
  return 'problem' in read ? read : read.filename
}

describe('the name of a file', () => {
  it('is kept in any script, with emoji and the joints of words whole', () => {
    const names = [
      'a.pdf',
      'Größe 1.pdf',
      'مرحبا بالعالم.pdf',
      'שלום.txt',
      '報告書.docx',
      'a.tar.gz',
      '.env',
      'a+b (1) & c.txt',
    ]
    const joined = ['👨‍👩‍👧.png', '❤️.png', '🏴󠁧󠁢󠁥󠁮󠁧󠁿.png', '1️⃣.txt', '🇩🇪.txt', 'می‌خواهم.txt', 'ශ්‍රී.txt']
    for (const name of [...names, ...joined])
      assert.deepEqual(readFilename(name), { original: name, filename: name }, name)
  })

  it('is the last part of a path, and means nothing to a disk, a shell or an eye', () => {
    const spelled: [given: string, filename: string][] = [
      ['../../etc/passwd', 'passwd'],
      ['/etc/passwd', 'passwd'],
      ['C:\\fakepath\\a.png', 'a.png'],
      ['..\\..\\a.png', 'a.png'],
      ['C:a.png', 'C_a.png'],
      ['a.txt::$DATA', 'a.txt__$DATA'],
      ['a<b>:"|?*.txt', 'a_b______.txt'],
      ['a\r\nSet-Cookie: x.txt', 'aSet-Cookie_ x.txt'],
      ['a\u0007\u009fb.txt', 'ab.txt'],
      ['photo\u202egpj.exe', 'photogpj.exe'],
      ['a\u2066\u200e\u200bb\ufeff.txt', 'ab.txt'],
      ['pay\u200dpal.txt', 'paypal.txt'],
      ['e\u0301.txt', 'é.txt'],
      ['  a \u00a0 \u3000 b .txt . . ', 'a b .txt'],
      ['a.exe. . .', 'a.exe'],
      ['CON', '_CON'],
      ['nul.txt', '_nul.txt'],
      ['Com1 .tar.gz', '_Com1 .tar.gz'],
      ['LPT³.txt', '_LPT³.txt'],
      ['\u200bAUX', '_AUX'],
      ['console.log', 'console.log'],
      ['com10.txt', 'com10.txt'],
    ]
    for (const [given, filename] of spelled) assert.deepEqual(readFilename(given), { original: given, filename }, given)
  })

  it('is refused when nothing is left of it, or too much', () => {
    const nothing = [
      null,
      undefined,
      '',
      '.',
      '..',
      '../..',
      'a/',
      'a\\',
      '   ',
      '\u200b',
      '. . .',
      '\u202e',
      '\u0301',
      '/',
    ]
    for (const given of nothing) assert.ok('problem' in readFilename(given), JSON.stringify(given))
    const long = [
      'a'.repeat(256),
      'a'.repeat(5_000),
      `${'é'.repeat(126)}.txt`,
      '報'.repeat(86),
      `${'a'.repeat(251)}/😀`.repeat(2),
    ]
    for (const given of long) assert.ok('problem' in readFilename(given), given)
    for (const given of ['a\0.png', 'a.png\0', 'a\ud800.png', '\udc00'])
      assert.ok('problem' in readFilename(given), given)
    assert.equal(kept('a'.repeat(255)), 'a'.repeat(255))
    assert.ok('problem' in readFilename(`con.${'a'.repeat(251)}`))
  })

  it('is the same when it is read again, and safe, whatever was given', () => {
    fc.assert(
      fc.property(oddNames, (given) => {
        const read = readFilename(given)
        if ('problem' in read) return assert.match(read.problem, /^The .*\.$/)
        assert.equal(read.original, given)
        assert.equal(kept(read.filename), read.filename)
        assert.doesNotMatch(read.filename, /[\p{Cc}/\\<>:"|?*\u2028\u2029\u202a-\u202e\u2066-\u2069]|^ |[. ]$/u)
        assert.ok(read.filename.length > 0 && Buffer.byteLength(read.filename) <= 255)
        assert.ok(read.filename.isWellFormed())
      }),
      { seed: SEED, numRuns: 5_000 },
    )
  })
})

describe('Content-Disposition', () => {
  it('has the name in ASCII, and beside it whole where that differs', () => {
    const written: [filename: string, header: string][] = [
      ['a b.pdf', 'attachment; filename="a b.pdf"'],
      ['Größe.pdf', `attachment; filename="Gro_e.pdf"; filename*=UTF-8''Gr%C3%B6%C3%9Fe.pdf`],
      ['файл.pdf', `attachment; filename="_.pdf"; filename*=UTF-8''%D1%84%D0%B0%D0%B9%D0%BB.pdf`],
      ['100%.pdf', `attachment; filename="100_.pdf"; filename*=UTF-8''100%25.pdf`],
      ["it's (1)*.pdf", `attachment; filename="it's (1)*.pdf"`],
      ["é's (1).pdf", `attachment; filename="e's (1).pdf"; filename*=UTF-8''%C3%A9%27s%20%281%29.pdf`],
      ['a";b="c\\d\r\nX: y', `attachment; filename="a_;b=_c_d__X: y"; filename*=UTF-8''a%22%3Bb%3D%22c_d__X%3A%20y`],
      ['', 'attachment; filename="file"'],
    ]
    for (const [filename, header] of written) assert.equal(contentDisposition('attachment', filename), header)
    assert.equal(contentDisposition('inline', 'a.png'), 'inline; filename="a.png"')
  })

  it('says the name again to who reads it as the standard says, and holds nothing else', () => {
    fc.assert(
      fc.property(oddNames, (given) => {
        const read = readFilename(given)
        const filename = 'problem' in read ? given : read.filename
        const header = contentDisposition('attachment', filename)
        const [, plain, whole] =
          /^attachment; filename="([\x20-\x21\x23-\x5b\x5d-\x7e]*)"(?:; filename\*=UTF-8''((?:%[\dA-F]{2}|[\w!#$&+.^`|~-])*))?$/.exec(
            header,
          ) ?? assert.fail(header)
        if (!('problem' in read)) assert.equal(whole === undefined ? plain : decodeURIComponent(whole), filename)
      }),
      { seed: SEED, numRuns: 5_000 },
    )
  })
})

const oddNames = fc
  .array(
    fc.oneof(
      fc.constantFrom('/', '\\', '.', '..', ' ', ':', '"', '\0', '\r\n', '%', "'", '\ud800', 'CON', 'nul.', '\u2028'),
      fc.constantFrom('\u202e', '\u200d', '\u200c', '\ufe0f', '\u0301', '\u3099', 'か', 'ب', 'क', '👨', '👩', '🇩', '🇪'),
      fc.string({ unit: 'binary', maxLength: 6 }),
      fc.string({ unit: 'grapheme', maxLength: 6 }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''))
