import { dropDeadDatabases, dropTemplates } from '../../core/src/testing/test-databases.ts'
import { isAlone } from './choice.ts'
import { runFiles } from './runner.ts'

/** Counted over everything that a check runs. */
export interface Totals {
  passed: number
  failed: number
  skipped: number
  /** Of each file, on each server. */
  times: { name: string; wallMs: number; cpuMs: number }[]
}

const OPTIONS = {
  filesPerProcess: 40,
  isAlone,
  fileTimeoutMs: 20 * 60_000,
  endTimeoutMs: 60_000,
}

/** A server that tests run on. */
export interface TestServer {
  name: string
  superuserUrl: string
  /** How many files run on it at a time. */
  lanes: number
  /** What the tests are told beside its address. */
  env?: NodeJS.ProcessEnv
}

/** Runs test files against one server, adds their results to the totals and prints what failed, and nothing else. */
export async function runTestFiles(
  { name: server, superuserUrl, lanes, env }: TestServer,
  files: readonly string[],
  totals: Totals,
): Promise<void> {
  await tidyUp(superuserUrl)
  await runFiles(
    files,
    ({ name, earlier, passed, skipped, failures, output, wallMs, cpuMs }) => {
      totals.times.push({ name: `${name} on ${server}`, wallMs, cpuMs })
      totals.passed += passed
      totals.skipped += skipped
      totals.failed += failures.length
      for (const failure of failures) print(`FAILED on ${server}: ${failure}\n`)
      if (failures.length === 0) return
      if (output !== '') print(`Output of ${name}:\n${output}`)
      if (earlier.length > 0) print(`Before it the same process ran ${earlier.join(', ')}\n`)
    },
    { ...OPTIONS, lanes, env: { ...env, TEST_DATABASE_SUPERUSER_URL: superuserUrl } },
  )
  await tidyUp(superuserUrl)
}

async function tidyUp(superuserUrl: string): Promise<void> {
  await dropDeadDatabases(superuserUrl)
  await dropTemplates(superuserUrl)
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}
