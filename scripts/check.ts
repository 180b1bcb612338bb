// The check, as the robot runs it: style, types, every test on the embedded PostgreSQL, and those whose SQL another version
// could take otherwise on PostgreSQL 15; with --all, there too every test. Words instead run the tests that they name, on the
// embedded PostgreSQL alone. Quiet while all is well, but for --times: how long each file took; the last line is the result.
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { findChromium } from '../core/src/testing/chromium.ts'
import { findClamd } from '../core/src/testing/clamd.ts'
import { quickFolder } from '../core/src/testing/quick-folder.ts'
import { startTestServer } from '../core/src/testing/server.ts'
import {
  chooseNamed,
  findTestFiles,
  isAlsoRunOnOne,
  isAlwaysOnFifteen,
  isForFifteen,
  longestFirst,
} from './check/choice.ts'
import { findPostgres15, startRedis } from './check/servers.ts'
import { runTestFiles, type Totals } from './check/tests.ts'

const root = new URL('..', import.meta.url).pathname
process.chdir(root)
process.env.NODE_ENV = 'test'
// Of one run: whoever needs a migrated database copies the same one.
process.env.TEST_RUN_ID = randomUUID()
// What was compiled once is read by every process that follows.
process.env.NODE_COMPILE_CACHE ??= `${root}node_modules/.cache/compiled`

// Test files side by side, on the two cores of a small machine: many wait most of their time, for processes and for clocks.
const LANES = 4
// Beside those. It may have the 100 connections that are usual, of which a test that has several cores takes up to 50.
const LANES_ON_FIFTEEN = 1

const totals: Totals = { passed: 0, failed: 0, skipped: 0, times: [] }
const stops: (() => Promise<void>)[] = []
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => stopAll().finally(() => process.exit(1)))

try {
  const { words, everywhere, times } = readArguments()
  await makeFolder()
  if (times) stops.push(async () => printTimes())
  if (words.length > 0) await runNamed(words)
  else if (totals.failed === 0) await runAll(everywhere)
} catch (error) {
  fail('check', error)
} finally {
  await stopAll()
}
const skipped = totals.skipped > 0 ? `, ${totals.skipped} skipped` : ''
print(`${totals.passed} passed, ${totals.failed} failed${skipped}`)
process.exit(totals.failed > 0 ? 1 : 0)

/** What tests throw away goes with the run, also what those leave that were killed. */
async function makeFolder(): Promise<void> {
  const folder = await mkdtemp(join(quickFolder(), 'tenantry-run-'))
  stops.push(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }))
  // Another user runs the database when root runs this.
  await chmod(folder, 0o711)
  process.env.TEST_FOLDER = folder
}

function readArguments(): { words: string[]; everywhere: boolean; times: boolean } {
  try {
    const options = { all: { type: 'boolean' }, times: { type: 'boolean' } } as const // the words are the types of the values
    const { values, positionals } = parseArgs({ options, allowPositionals: true })
    return { words: positionals, everywhere: values.all === true, times: values.times === true }
  } catch (error) {
    fail('arguments', error instanceof Error ? error.message : error)
    return { words: [], everywhere: false, times: false }
  }
}

async function runAll(everywhere: boolean): Promise<void> {
  const files = longestFirst(await leaveOutImpossible(findTestFiles(root)))
  const superuserUrl = await startEmbedded()
  const embedded = { name: 'the embedded PostgreSQL', superuserUrl, lanes: LANES }
  // Whoever holds the only connection and asks for another waits for themselves: no race, crash or schedule may.
  const single = { ...embedded, name: 'a single connection', env: { TEST_DATABASE_POOL_SIZE: '1' } }
  await Promise.all([
    runTool('lint', ['node_modules/@biomejs/biome/bin/biome', 'check', '--colors=off', '.']),
    // Its threads look at the same types again, each for itself: in one it takes half the time of both cores.
    runTool('types', ['node_modules/typescript/bin/tsc', '--noEmit', '--singleThreaded', '-p', 'tsconfig.json']),
    runTestFiles(embedded, files, totals).then(() => runTestFiles(single, files.filter(isAlsoRunOnOne), totals)),
    runOnFifteen(files.filter(everywhere ? isForFifteen : isAlwaysOnFifteen)),
  ])
}

async function runOnFifteen(files: string[]): Promise<void> {
  const superuserUrl = await findPostgres15().catch((error: unknown) => fail('PostgreSQL 15', error))
  if (superuserUrl) await runTestFiles({ name: 'PostgreSQL 15', superuserUrl, lanes: LANES_ON_FIFTEEN }, files, totals)
  else warn('LEFT OUT: the second run on PostgreSQL 15. Set TEST_POSTGRES_15_URL to the URL of a superuser there.')
}

async function runNamed(words: readonly string[]): Promise<void> {
  const { named, unknown } = chooseNamed(findTestFiles(root), words)
  for (const word of unknown) fail('arguments', `No test file has "${word}" in its path`)
  if (unknown.length > 0) return
  const files = await leaveOutImpossible(named)
  print(`Tests on the embedded PostgreSQL, without style and types:\n${files.map((file) => `  ${file}\n`).join('')}`)
  const embedded = { name: 'the embedded PostgreSQL', superuserUrl: await startEmbedded(), lanes: LANES }
  await runTestFiles(embedded, longestFirst(files), totals)
}

async function startEmbedded(): Promise<string> {
  const { superuserUrl, stop } = await startTestServer()
  stops.push(stop)
  return superuserUrl
}

/** What this machine has no server or browser for is named and left out. */
async function leaveOutImpossible(files: string[]): Promise<string[]> {
  let possible = await withOrWithoutRedis(files)
  if (!findChromium())
    possible = leaveOut(possible, '.browser.test.ts', 'a browser. Install chromium, or set CHROMIUM_PATH.')
  if (!findClamd()) possible = leaveOut(possible, '.clamav.test.ts', 'clamd. Install clamav-daemon.')
  return possible
}

async function withOrWithoutRedis(files: string[]): Promise<string[]> {
  // For the tests alone: a server that they start is told its settings by them, and refuses what it does not use.
  if (process.env.REDIS_URL) process.env.TEST_REDIS_URL ??= process.env.REDIS_URL
  delete process.env.REDIS_URL
  if (!files.some((file) => file.endsWith('.redis.test.ts'))) return files
  const redis = await startRedis()
  if (!redis) return leaveOut(files, '.redis.test.ts', 'Redis. Set REDIS_URL, or install redis-server.')
  stops.push(redis.stop)
  process.env.TEST_REDIS_URL = redis.url
  return files
}

function leaveOut(files: string[], ending: string, need: string): string[] {
  const leftOut = files.filter((file) => file.endsWith(ending))
  if (leftOut.length === 0) return files
  warn(`LEFT OUT: ${leftOut.length} test files that need ${need}`)
  return files.filter((file) => !leftOut.includes(file))
}

/** What took longest, for whoever wants the check to be shorter. */
function printTimes(): void {
  for (const { name, wallMs, cpuMs } of totals.times.toSorted((one, other) => other.wallMs - one.wallMs))
    print(`${(wallMs / 1000).toFixed(1).padStart(6)} s, ${(cpuMs / 1000).toFixed(1).padStart(5)} s of CPU: ${name}`)
}

async function runTool(name: string, args: string[]): Promise<void> {
  try {
    await promisify(execFile)(process.execPath, args, { maxBuffer: 100 * 1024 * 1024 })
    totals.passed++
  } catch (error) {
    const output =
      error instanceof Error && 'stdout' in error && 'stderr' in error ? `${error.stdout}${error.stderr}` : ''
    fail(name, output.trim() || error)
  }
}

async function stopAll(): Promise<void> {
  for (const stop of stops.splice(0).reverse()) await stop().catch((error: unknown) => fail('stopping a server', error))
}

function fail(name: string, reason: unknown): undefined {
  totals.failed++
  print(`FAILED: ${name}\n${reason instanceof Error ? reason.stack : reason}\n`)
}

function warn(text: string): void {
  const line = '!'.repeat(80)
  print(`${line}\n${text}\n${line}`)
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}
