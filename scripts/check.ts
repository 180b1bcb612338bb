// The whole check, as the robot runs it: style, types, and the tests on every PostgreSQL there is.
// Quiet while all is well; the last line is the result.
import { execFile } from 'node:child_process'
import { globSync } from 'node:fs'
import { promisify } from 'node:util'
import { findChromium } from '../core/src/testing/chromium.ts'
import { startTestServer } from '../core/src/testing/server.ts'
import { findPostgres15, startRedis } from './check-servers.ts'
import { runTestFiles, type Totals } from './check-tests.ts'

const root = new URL('..', import.meta.url).pathname
process.chdir(root)
process.env.NODE_ENV = 'test'

/** Tests of races, crashes, schedules, retention and sealing. */
const ON_ONE_CONNECTION = [
  'members/races',
  'auth/refreshing',
  'auth/accepting',
  'subscriptions/opening',
  'audit-sinks/crash',
  'retention/removing',
  'sealing/sealing',
  'kernel-crash',
  'kernel-schedules',
]

/**
 * Tests to which another database is nothing new: those of the embedded one, of what a browser shows, of how a process
 * stops, of what the code narrows by itself, and of the files of this folder.
 */
const INDIFFERENT =
  /[/\\]embedded[^/\\]*$|\.browser\.test\.ts$|[/\\](?:stopping|store-isolation|audit-cli|documentation)\.test\.ts$|^scripts[/\\]/

const totals: Totals = { passed: 0, failed: 0, skipped: 0 }
const stops: (() => Promise<void>)[] = []
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => stopAll().finally(() => process.exit(1)))

try {
  await runTool('lint', ['node_modules/@biomejs/biome/bin/biome', 'check', '--colors=off', '.'])
  await runTool('types', ['node_modules/typescript/bin/tsc', '--noEmit', '-p', 'tsconfig.json'])
  await runTests()
} catch (error) {
  fail('check', error)
} finally {
  await stopAll()
}
const skipped = totals.skipped > 0 ? `, ${totals.skipped} skipped` : ''
print(`${totals.passed} passed, ${totals.failed} failed${skipped}`)
process.exit(totals.failed > 0 ? 1 : 0)

async function runTests(): Promise<void> {
  const files = await chooseFiles()
  const embedded = await startTestServer()
  stops.push(embedded.stop)
  await runTestFiles('the embedded PostgreSQL', files, embedded.superuserUrl, totals)
  // Whoever holds the only connection and asks for another waits for themselves: no race, crash or schedule may.
  process.env.TEST_DATABASE_POOL_SIZE = '1'
  await runTestFiles('a single connection', files.filter(isAlsoRunOnOne), embedded.superuserUrl, totals)
  delete process.env.TEST_DATABASE_POOL_SIZE

  const fifteen = await findPostgres15().catch((error: unknown) => fail('PostgreSQL 15', error))
  const others = files.filter((file) => !INDIFFERENT.test(file))
  if (fifteen) await runTestFiles('PostgreSQL 15', others, fifteen, totals)
  else warn('LEFT OUT: the second run on PostgreSQL 15. Set TEST_POSTGRES_15_URL to the URL of a superuser there.')
}

/** What hangs a transaction on purpose needs a second connection to go on; it is not among these. */
function isAlsoRunOnOne(file: string): boolean {
  return ON_ONE_CONNECTION.some((name) => file.replaceAll('\\', '/').endsWith(`/${name}.test.ts`))
}

async function chooseFiles(): Promise<string[]> {
  const files = globSync(['core/test/**/*.test.ts', 'core/src/**/*.test.ts', 'scripts/**/*.test.ts']).sort()
  const withRedis = await withOrWithoutRedis(files)
  if (findChromium()) return withRedis
  return leaveOut(withRedis, '.browser.test.ts', 'a browser. Install chromium, or set CHROMIUM_PATH.')
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
  warn(`LEFT OUT: ${leftOut.length} test files that need ${need}`)
  return files.filter((file) => !leftOut.includes(file))
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
