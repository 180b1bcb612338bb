import { relative, resolve } from 'node:path'
import type { EventData } from 'node:test'
import { run } from 'node:test'
import { inspect } from 'node:util'
import { dropDeadDatabases, dropTemplates } from '../core/src/testing/test-databases.ts'

/** Counted over everything that a check runs. */
export interface Totals {
  passed: number
  failed: number
  skipped: number
}

const CONCURRENCY = 2
const TEST_TIMEOUT_MS = 10 * 60_000
const MAX_OUTPUT_CHARS = 20_000

/** Runs test files against one server, adds their results to the totals and prints what failed, and nothing else. */
export async function runTestFiles(
  server: string,
  files: string[],
  superuserUrl: string,
  totals: Totals,
): Promise<void> {
  process.env.TEST_DATABASE_SUPERUSER_URL = superuserUrl
  await tidyUp(superuserUrl)
  const output = new Map<string, string>()
  const failedFiles = new Set<string>()
  const collect = ({ file, message }: { file?: string; message: string }) => {
    // Output comes with the path as given, failures with the whole one.
    const key = resolve(file ?? '')
    output.set(key, ((output.get(key) ?? '') + message).slice(-MAX_OUTPUT_CHARS))
  }
  const stream = run({ files, concurrency: CONCURRENCY, timeout: TEST_TIMEOUT_MS })
  stream.on('test:stdout', collect)
  stream.on('test:stderr', collect)
  stream.on('test:pass', (event) => {
    if (event.details.type === 'suite') return
    if (event.skip || event.todo) totals.skipped++
    else totals.passed++
  })
  stream.on('test:fail', (event) => {
    if (event.details.type === 'suite' || event.todo) return
    totals.failed++
    failedFiles.add(resolve(event.file ?? ''))
    process.stdout.write(`FAILED on ${server}: ${describe(event)}\n\n`)
  })
  for await (const _ of stream);
  for (const file of failedFiles) {
    const text = output.get(file)
    if (text) process.stdout.write(`Output of ${relative('.', file)}:\n${text}\n`)
  }
  await tidyUp(superuserUrl)
}

async function tidyUp(superuserUrl: string): Promise<void> {
  await dropDeadDatabases(superuserUrl)
  await dropTemplates(superuserUrl)
}

function describe({ name, file, line, details }: EventData.TestFail): string {
  const place = file ? ` (${relative('.', file)}:${line ?? 1})` : ''
  const { cause } = details.error
  return `${name}${place}\n${inspect(cause ?? details.error, { depth: 5 })}`
}
