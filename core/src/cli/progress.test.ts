import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { showProgress, size } from './progress.ts'

/** A terminal, or a file, and what it was told. */
function screen(isTTY: boolean) {
  const stream = Object.assign(new PassThrough(), { isTTY }) as unknown as NodeJS.WriteStream // what of one is used
  // `<` goes to the start of an empty line.
  return { stream, told: () => String(stream.read() ?? '').replaceAll('\r\u001b[K', '<') }
}

test('a terminal shows a bar that fills, with how much is done, how fast, and how long it takes', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const { stream, told } = screen(true)
  const progress = showProgress({ things: 4, bytes: 4096 }, stream)
  progress.passed(1024)
  t.mock.timers.tick(200)
  assert.match(told(), /^<\[######\.{18}\] 0 of 4, 1\.0 KiB of 4\.0 KiB, .*\/s, \d+ s left$/)
  progress.settled(1024)
  for (const bytes of [1024, 1024, 1024]) progress.settled(bytes)
  t.mock.timers.tick(200)
  assert.match(told(), /\[#{24}\] 4 of 4, 4\.0 KiB of 4\.0 KiB, .*, 0 s left$/)
  progress.end()
  assert.equal(told(), '<', 'the line is free for what comes next')
  t.mock.timers.tick(1_000)
  assert.equal(told(), '')
})

test('a bar never shows more than all, also when something is read twice', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const { stream, told } = screen(true)
  const progress = showProgress({ things: 1, bytes: 1024 }, stream)
  progress.passed(5000)
  t.mock.timers.tick(200)
  assert.match(told(), /\[#{24}\] 0 of 1, 1\.0 KiB of 1\.0 KiB/)
  progress.end()
})

test('elsewhere there is one line in ten seconds, without any signs of a terminal', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const { stream, told } = screen(false)
  const progress = showProgress({ things: 2, bytes: 2048 }, stream)
  progress.settled(1024)
  t.mock.timers.tick(9_999)
  assert.equal(told(), '')
  t.mock.timers.tick(1)
  assert.match(told(), /^1 of 2, 1\.0 KiB of 2\.0 KiB, [^<]*\n$/)
  progress.note('Not moved: a')
  progress.end()
  assert.equal(told(), 'Not moved: a\n')
})

test('sizes are said in the unit that suits them', () => {
  assert.deepEqual([0, 1023, 1536, 5 * 1024 ** 3, 3000 * 1024 ** 4].map(size), [
    '0 B',
    '1023 B',
    '1.5 KiB',
    '5.0 GiB',
    '3000.0 TiB',
  ])
})
