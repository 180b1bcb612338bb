import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Order } from './process.ts'
import type { Message } from './reporter.ts'

/** What became of a test file, or of the process that ran some. */
export interface Report {
  name: string
  /** The files that ran before it in the same process. */
  earlier: readonly string[]
  passed: number
  skipped: number
  /** What went wrong, each with its place and its reason. */
  failures: string[]
  /** The end of what was written meanwhile. */
  output: string
  /** How long it took, and the CPU time of its process alone: what it starts and the database are not in it. */
  wallMs: number
  cpuMs: number
}

const PROGRAM = fileURLToPath(new URL('process.ts', import.meta.url))
const REPORTER = new URL('reporter.ts', import.meta.url).href
// A test makes much that is soon done with: with room for it the garbage collector has a fifth less to do.
const FLAGS = ['--max-semi-space-size=64']
const MAX_OUTPUT_CHARS = 20_000

/** A process that runs test files one after another. */
export class TestProcess {
  /** Those that it has run or runs. */
  readonly files: string[] = []
  readonly #child: ChildProcess
  readonly #closed: Promise<void>
  #end: string | undefined
  #current = emptyReport('')
  #hasFailed = false
  #cpuMs = 0
  #onFileEnded = () => {}

  /** `env`: what its environment has beside that of this process. */
  constructor(env: NodeJS.ProcessEnv = {}) {
    const child = spawn(process.execPath, [...FLAGS, `--test-reporter=${REPORTER}`, PROGRAM], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // What tests itself by running tests is not the one who is to be told of them.
      env: { ...process.env, ...env, NODE_TEST_CONTEXT: undefined },
    })
    this.#child = child
    const killWithUs = () => void child.kill('SIGKILL')
    process.once('exit', killWithUs)
    this.#closed = once(child, 'close').then(([code, signal]) => {
      this.#end = `${code ?? signal}`
      process.off('exit', killWithUs)
    })
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#current.output = (this.#current.output + text).slice(-MAX_OUTPUT_CHARS)
      })
    child.on('message', (message: Message) => this.#take(message))
  }

  get hasEnded(): boolean {
    return this.#end !== undefined
  }

  /** Runs a file, unless the process has ended or ends meanwhile, which is a failure. */
  async run(file: string, timeoutMs: number): Promise<Report> {
    const report = emptyReport(file, [...this.files])
    this.files.push(file)
    this.#current = report
    const start = performance.now()
    const ended = new Promise<void>((resolve) => {
      this.#onFileEnded = resolve
    })
    await this.#wait({ file }, ended, { timeoutMs, lateness: `${file} took more than ${timeoutMs / 1000} s` })
    report.wallMs = performance.now() - start
    const { passed, skipped, failures } = report
    if (this.hasEnded) failures.push(`${file} ended its process (${this.#end})`)
    else if (passed + skipped + failures.length === 0) failures.push(`${file} has no tests`)
    this.#hasFailed ||= failures.length > 0
    return report
  }

  /** Lets the process end. What it reports then is a failure that belongs to none of its files. */
  async finish(timeoutMs: number): Promise<Report | undefined> {
    if (this.hasEnded) return undefined
    const name = this.files.join(', ')
    const report = emptyReport(name)
    this.#current = report
    const lateness = `the process goes on after the tests of ${name}`
    await this.#wait({ file: null }, this.#closed, { timeoutMs, lateness })
    if (report.failures.length === 0 && this.#end !== '0' && !this.#hasFailed)
      report.failures.push(`the process of ${name} ended with ${this.#end}`)
    return report.failures.length > 0 ? report : undefined
  }

  #take(message: Message): void {
    if (message.kind === 'ended') {
      this.#current.cpuMs = message.cpuMs - this.#cpuMs
      this.#cpuMs = message.cpuMs
      this.#onFileEnded()
    } else if (message.kind === 'failed') this.#current.failures.push(message.text)
    else this.#current[message.kind]++
  }

  /** Waits until the process has done what it is told, and kills it when that takes too long. */
  async #wait(order: Order, done: Promise<void>, { timeoutMs, lateness }: { timeoutMs: number; lateness: string }) {
    const { failures } = this.#current
    const timer = setTimeout(() => {
      failures.push(lateness)
      this.#child.kill('SIGKILL')
      // A child of it may hold these open.
      this.#child.stdout?.destroy()
      this.#child.stderr?.destroy()
    }, timeoutMs)
    this.#child.send(order, () => {}) // one that has ended already is told by its end
    await Promise.race([done, this.#closed])
    clearTimeout(timer)
    // What was written may stand in a pipe that is read next.
    await nextTurn()
  }
}

const emptyReport = (name: string, earlier: readonly string[] = []): Report => ({
  name,
  earlier,
  passed: 0,
  skipped: 0,
  failures: [],
  output: '',
  wallMs: 0,
  cpuMs: 0,
})
