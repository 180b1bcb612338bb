// What Node calls a reporter: tells the parent process of every test that has ended, and of every file.
import { relative } from 'node:path'
import { Transform } from 'node:stream'
import type { EventData } from 'node:test'
import type { TestEvent } from 'node:test/reporters'
import { inspect } from 'node:util'
import { findChanges } from './state.ts'

/** What a process that runs test files says of them. */
export type Message =
  | { kind: 'passed' | 'skipped' }
  | { kind: 'failed'; text: string }
  /** Of a whole file: its tests and its hooks are through. `cpuMs`: of this process so far. */
  | { kind: 'ended'; cpuMs: number }

export default new Transform({
  writableObjectMode: true,
  transform(event: TestEvent, _encoding, done) {
    for (const message of messagesOf(event)) process.send?.(message)
    done()
  },
})

function* messagesOf({ type, data }: TestEvent): Generator<Message> {
  // Of a test that failed after it had ended: told when the process ends, which the parent listens to no more.
  if (type === 'test:diagnostic' && /asynchronous activity/.test(data.message))
    process.stderr.write(`${data.message}\n`)
  if (type !== 'test:pass' && type !== 'test:fail') return
  const isSuite = data.details.type === 'suite'
  if (type === 'test:pass' && !isSuite) yield { kind: data.skip || data.todo ? 'skipped' : 'passed' }
  if (type === 'test:fail' && !data.todo && !(isSuite && isOfItsTests(data.details.error)))
    yield { kind: 'failed', text: describe(data) }
  // Files are the outermost suites.
  if (data.nesting > 0) return
  for (const change of findChanges()) yield { kind: 'failed', text: `${data.name} leaves to the next file ${change}` }
  const { userCPUTime, systemCPUTime } = process.resourceUsage()
  yield { kind: 'ended', cpuMs: (userCPUTime + systemCPUTime) / 1000 }
}

/** A suite fails when a test in it does, which is counted already; or by itself, in a hook or while it is read. */
function isOfItsTests(error: Error): boolean {
  return 'failureType' in error && error.failureType === 'subtestsFailed'
}

function describe({ name, file, line, details }: EventData.TestFail): string {
  const place = file ? ` (${relative('.', file)}:${line ?? 1})` : ''
  return `${name}${place}\n${inspect(details.error.cause ?? details.error, { depth: 5 })}`
}
