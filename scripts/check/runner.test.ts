import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { findProcessMark } from '../../core/src/kernel/db/embedded-process.ts'
import { until } from '../../core/src/testing/until.ts'
import { type RunnerOptions, runFiles } from './runner.ts'
import type { Report } from './test-process.ts'

const MINUTES = 60_000
let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenantry-runner-'))
})
after(() => rm(folder, { recursive: true, force: true }))

/** Runs these texts as test files, in order, and tells what was reported of each, by its name. */
async function run(texts: Record<string, string>, options: Partial<RunnerOptions> = {}): Promise<Map<string, Report>> {
  const files = Object.keys(texts).map((name) => join(folder, `${name}.test.mjs`))
  for (const [name, text] of Object.entries(texts))
    await writeFile(
      join(folder, `${name}.test.mjs`),
      `import { after, before, describe, it } from 'node:test'\n${text}`,
    )
  const reports = new Map<string, Report>()
  const note = (report: Report) =>
    void reports.set(report.name.replaceAll(`${folder}/`, '').replaceAll('.test.mjs', ''), report)
  const defaults = {
    lanes: 1,
    filesPerProcess: 10,
    isAlone: () => false,
    fileTimeoutMs: 5 * MINUTES,
    endTimeoutMs: 5 * MINUTES,
  }
  await runFiles(files, note, { ...defaults, ...options })
  return reports
}

const failuresOf = (reports: Map<string, Report>, name: string) => reports.get(name)?.failures.join('\n') ?? ''
const SOUND = `it('holds', () => {})`
const SAYS_PID = `it('runs', () => console.log(process.pid))`

describe('files in one process', () => {
  it('are counted each, tests within tests and suites too; what is skipped apart', async () => {
    const reports = await run({
      one: `describe('a', () => { it('b', (t) => t.test('c', () => {})); it.skip('d', () => {}) })`,
      two: SOUND,
    })
    const counts = [...reports].map(([name, { passed, skipped, failures }]) => [name, passed, skipped, failures])
    assert.deepEqual(counts, [
      ['one', 2, 1, []],
      ['two', 1, 0, []],
    ])
  })

  it('are timed each, by the clock and in CPU time of their own', async () => {
    const busy = `it('is busy', () => { const from = process.cpuUsage(); while (process.cpuUsage(from).user < 300_000); })`
    const [first, second] = [...(await run({ one: busy, two: SOUND })).values()]
    assert.ok(first && second && first.cpuMs >= 300 && first.wallMs >= 250, JSON.stringify(first))
    assert.ok(second.cpuMs < first.cpuMs, 'that of the first file is not counted twice')
  })

  it('have their hooks to themselves, and are loaded when it is their turn', async () => {
    const text = (name: string) => `
      console.log('${name} loads')
      before(() => console.log('${name} begins'))
      after(() => console.log('${name} ends'))
      it('runs', () => console.log(process.pid))`
    const reports = await run({ one: text('one'), two: text('two') })
    const [one, two] = ['one', 'two'].map((name) => reports.get(name)?.output.trim().split('\n') ?? [])
    assert.deepEqual(
      [one?.toSpliced(2, 1), two?.toSpliced(2, 1)],
      [
        ['one loads', 'one begins', 'one ends'],
        ['two loads', 'two begins', 'two ends'],
      ],
    )
    assert.equal(one?.[2], two?.[2], 'one process ran both')
  })

  it('are so many, and those that must be alone are', async () => {
    const names = ['one', 'two', 'three', 'lonely', 'four']
    const isAlone = (file: string) => file.includes('lonely')
    const reports = await run(Object.fromEntries(names.map((name) => [name, SAYS_PID])), {
      filesPerProcess: 2,
      isAlone,
    })
    const pids = names.map((name) => reports.get(name)?.output.trim())
    assert.equal(pids[0], pids[1])
    assert.equal(new Set(pids).size, 4, pids.join())
  })
})

describe('what goes wrong', () => {
  it('is told with its name, its place, its reason and what was written; the next file runs all the same', async () => {
    const reports = await run({ one: `it('adds', () => { console.log('adding'); throw new Error('1') })`, two: SOUND })
    assert.match(failuresOf(reports, 'one'), /^adds \(.*one\.test\.mjs:2\)\nError: 1\n/)
    assert.equal(reports.get('one')?.output, 'adding\n')
    assert.deepEqual([reports.size, reports.get('two')?.passed], [2, 1])
    assert.match(`${reports.get('two')?.earlier}`, /one\.test\.mjs$/)
  })

  const wrong: Record<string, { text: string; told: RegExp }> = {
    'a file that does not load': { text: `throw new Error('not read')`, told: /Error: not read/ },
    'a hook before the tests': {
      text: `before(() => { throw new Error('x') }); ${SOUND}`,
      told: /^holds .*\n[\s\S]*Error: x/,
    },
    'a hook after the tests': { text: `${SOUND}; after(() => { throw new Error('x') })`, told: /Error: x/ },
    'a hook of a suite': {
      text: `describe('inner', () => { ${SOUND}; after(() => { throw new Error('x') }) })`,
      told: /^inner .*\n[\s\S]*Error: x/,
    },
    'a file without tests': { text: '', told: /has no tests$/ },
    'a process that ends itself': { text: `it('ends', () => process.exit(0))`, told: /ended its process \(0\)$/ },
    'a changed environment': {
      text: `it('sets', () => { process.env.LEFT = '1' })`,
      told: /leaves .* another environment/,
    },
    'a changed folder': { text: `it('moves', () => process.chdir('/'))`, told: /leaves .* another working folder/ },
    'a changed clock': { text: `it('moves', (t) => { globalThis.Date = class {} })`, told: /leaves .* another clock/ },
    'a listener to signals': {
      text: `it('listens', () => process.on('SIGHUP', () => {}))`,
      told: /listeners to signals/,
    },
  }
  for (const [what, { text, told }] of Object.entries(wrong))
    it(`${what} is a failure of that file, and of no other`, async () => {
      const reports = await run({ one: text, two: SOUND })
      assert.match(failuresOf(reports, 'one'), told)
      assert.deepEqual([reports.size, reports.get('two')?.passed, reports.get('two')?.failures], [2, 1, []])
    })

  it('an error that comes after its test is a failure, and names the test', async () => {
    const late = `it('is early', () => { setTimeout(() => { throw new Error('late') }, 1) })
      it('waits for it', () => new Promise((resolve) => process.once('uncaughtException', resolve)))`
    const [, , failed] = [...(await run({ one: SOUND, late })).values()]
    assert.match(`${failed?.failures}`, /^the process of .*one.*late.* ended with 1$/)
    assert.match(`${failed?.output}`, /Test "is early" .*late\.test\.mjs/)
  })

  it('a file that takes too long is ended', async () => {
    const endless = `it('waits', () => new Promise(() => {}))`
    const reports = await run({ endless }, { fileTimeoutMs: 1_000 })
    assert.match(failuresOf(reports, 'endless'), /took more than 1 s\n.* ended its process \(SIGKILL\)$/)
  })

  it('what still holds a process after its tests is a failure of them all', async () => {
    const reports = await run({ one: SOUND, two: `${SOUND}; setInterval(() => {}, 1_000)` }, { endTimeoutMs: 1_000 })
    assert.match(failuresOf(reports, 'one, two'), /^the process goes on after the tests of .*one.*two/)
  })

  it('no process of a check outlives it, however it ends', async () => {
    const [file, pidFile] = [join(folder, 'endless.test.mjs'), join(folder, 'pid')]
    await writeFile(
      file,
      `import { it } from 'node:test'; import { writeFileSync } from 'node:fs'
      it('waits', () => new Promise(() => writeFileSync('${pidFile}', String(process.pid))))`,
    )
    const script = `import { runFiles } from '${new URL('runner.ts', import.meta.url)}'
      await runFiles(['${file}'], () => {}, ${JSON.stringify({ lanes: 1, filesPerProcess: 1, fileTimeoutMs: MINUTES, endTimeoutMs: MINUTES })})`
    const check = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: 'ignore' })
    await until('the file to run', () => existsSync(pidFile) && readFileSync(pidFile, 'utf8') !== '')
    check.kill('SIGKILL')
    const pid = Number(readFileSync(pidFile, 'utf8'))
    await until('its process to end', async () => (await findProcessMark(pid)) === undefined)
  })
})
