import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readCsv } from '../../modules/audit/audit.fixture.ts'
import { SEED } from '../../testing/seed.ts'
import { csvLine } from './csv.ts'

test('every text is quoted, and lines end as RFC 4180 has it', () => {
  assert.equal(
    csvLine(['plain', 'a,b', 'say "hi"', 'two\nlines', ' edge ']),
    '"plain","a,b","say ""hi""","two\nlines"," edge "\r\n',
  )
})

test('null is nothing and an empty text is a text; objects are JSON', () => {
  assert.equal(csvLine([null, undefined, '', { a: 'b' }, [1], 5]), ',,"","{""a"":""b""}","[1]",5\r\n')
})

test('nothing becomes a formula', () => {
  for (const formula of ['=1+1', '+1', '-1', '@SUM(A1)', '＝1', '＋1', '－1', '＠1'])
    for (const before of [
      '',
      '\t',
      '\r',
      '\n',
      ' ',
      '\u00a0',
      '\u200b',
      '\ufeff',
      '\u00ad',
      '"',
      'a;',
      'a,',
      'a|',
      'a;\u200b "',
    ])
      assert.equal(readCsv(csvLine([before + formula]))[0]?.[0], `${before}'${formula}`)
  assert.equal(csvLine(['a=1', '1-2', 'a -b']), '"a=1","1-2","a -b"\r\n')
})

test('JSON means the same with what would begin a formula escaped', () => {
  const value = { '=key': 'a;=1', list: ['-1', -1, '\u200b@x', 'a,"+b'], deep: { text: 'x = 1' } }
  const [[cell = ''] = []] = readCsv(csvLine([value]))
  assert.deepEqual(JSON.parse(cell), value)
  assert.ok(cell.includes(String.raw`\u003dkey`) && cell.includes(String.raw`a;\u003d1`), cell)
})

/** As a lenient spreadsheet reads a file that it was told to split at some character: a quote counts where a cell begins. */
function split(text: string, separator: string): string[] {
  const cells: string[] = []
  let [cell, isQuoted, at] = ['', false, 0]
  const end = () => {
    cells.push(cell)
    cell = ''
  }
  for (; at < text.length; at++) {
    const character = text[at] ?? ''
    if (isQuoted && character === '"' && text[at + 1] === '"') {
      cell += '"'
      at++
    } else if (isQuoted && character === '"') isQuoted = false
    else if (isQuoted) cell += character
    else if (character === '"' && cell === '') isQuoted = true
    else if (character === separator || character === '\n' || character === '\r') end()
    else cell += character
  }
  end()
  return cells
}

const isNumber = (cell: string) => /^[-+]?\d+(\.\d+)?[\]}]*$/.test(cell)
/** Without what is not seen in front. */
const bare = (cell: string) => cell.replace(/^["\s\p{C}\p{Z}]+/u, '')

const UNIT = fc.constantFrom(...'a1,;\t|"\r\n=+-@＝ \u200b\u00ad\ufeff\'é')
const texts = fc.string({ unit: UNIT, maxLength: 12 })
const cells = fc.oneof(texts, fc.dictionary(texts, fc.oneof(texts, fc.integer(), fc.array(texts))), fc.constant(null))

test('no spreadsheet finds a formula, whether it splits at a comma, a semicolon, a bar or a tab', () => {
  const check = (rows: unknown[][]) => {
    const file = rows.map(csvLine).join('')
    for (const separator of [',', ';', '\t', '|'])
      for (const cell of split(file, separator))
        assert.ok(
          !/^[=+\-@＝]/.test(bare(cell)) || isNumber(bare(cell)),
          `${JSON.stringify(separator)}: ${JSON.stringify(cell)}`,
        )
  }
  check([
    ['Ada', "a;=cmd|' /C calc'!A0;b"],
    ['\u200b=3+3', 'x\t@SUM(1)'],
  ])
  fc.assert(fc.property(fc.array(fc.array(cells, { minLength: 1, maxLength: 3 }), { minLength: 1 }), check), {
    seed: SEED,
    numRuns: 2_000,
  })
})

test('what is written can be read, and differs by apostrophes alone', () => {
  fc.assert(
    fc.property(fc.array(fc.array(texts, { minLength: 2, maxLength: 2 }), { minLength: 1 }), (rows) => {
      const read = readCsv(rows.map(csvLine).join(''))
      const plain = (table: string[][]) => table.map((row) => row.map((text) => text.replaceAll("'", '')))
      assert.deepEqual(plain(read), plain(rows))
    }),
    { seed: SEED },
  )
})

test('a long text takes no time', () => {
  const long = '\n'.repeat(200_000)
  const started = performance.now()
  csvLine([long, { long }, `${long}=`])
  // Minutes, where each character is looked at once for every other.
  assert.ok(performance.now() - started < 20_000)
})
