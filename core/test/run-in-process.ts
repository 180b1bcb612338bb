// Runs a command of the command line in the tests' own process, which costs a tenth of a process of its own. What a
// command does to its process is kept from the tests': they see what it says, and the code it would have ended with.
import { AsyncLocalStorage } from 'node:async_hooks'
import type { EventEmitter } from 'node:events'
import { tmpdir } from 'node:os'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { main } from '../src/main.ts'
import type { CliOptions, Ended } from './run-cli.ts'

const PROGRAM = fileURLToPath(new URL('../bin/tenantry.js', import.meta.url))
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP']

export interface InProcessOptions extends Pick<CliOptions, 'env' | 'cwd'> {
  /** The command line to run. Default: the core's own. */
  line?: (args: string[]) => Promise<void>
  /** What it reads from standard input. Default: nothing. */
  input?: string | Buffer
}

/** Of the command that runs, and of whatever it has begun: what it has said so far. */
const commands = new AsyncLocalStorage<{ out: string; err: string }>()
let last: Promise<unknown> = Promise.resolve()

/**
 * Runs a command that ends by itself, `db setup --prefix x` as one text; one after another, since they share the process.
 * What is about signals, the end of a process, races of processes or the embedded database takes `runCli`.
 */
export function runInProcess(command: string, options: InProcessOptions = {}): Promise<Ended> {
  const ended = last.then(() => run(command.split(' ').filter(Boolean), options))
  last = ended.catch(() => {})
  return ended
}

async function run(
  args: string[],
  { env = {}, cwd = tmpdir(), input = '', line = main }: InProcessOptions,
): Promise<Ended> {
  const [folder, code] = [process.cwd(), process.exitCode]
  const restore = [
    swap(process, 'env', { PATH: process.env.PATH, ...env }),
    swap(process, 'argv', [process.execPath, PROGRAM, ...args]),
    swap(process, 'stdin', Readable.from(input.length > 0 ? [Buffer.from(input)] : [])),
    catchFrom(process.stdout, 'out'),
    catchFrom(process.stderr, 'err'),
    ...SIGNALS.map((signal) => keepListeners(process, signal)),
    keepListeners(process.stdout, 'error'),
    keepListeners(process.stderr, 'error'),
  ]
  process.chdir(cwd)
  process.exitCode = undefined
  const said = { out: '', err: '' }
  try {
    await commands.run(said, () => line(args))
    return { code: Number(process.exitCode ?? 0), ...said }
  } finally {
    process.exitCode = code
    process.chdir(folder)
    for (const each of restore) each()
  }
}

/** Sets a property; returns how to put back what was there. */
function swap<Owner extends object>(owner: Owner, key: keyof Owner, value: unknown): () => void {
  const before = Object.getOwnPropertyDescriptor(owner, key)
  Object.defineProperty(owner, key, { value, configurable: true, writable: true, enumerable: true })
  return () => {
    if (before) Object.defineProperty(owner, key, before)
    else Reflect.deleteProperty(owner, key)
  }
}

/** Keeps what commands write, and lets through what the tests and their runner write meanwhile. */
function catchFrom(stream: NodeJS.WriteStream, name: 'out' | 'err'): () => void {
  const write = stream.write.bind(stream)
  return swap(stream, 'write', (...given: Parameters<typeof write>) => {
    const said = commands.getStore()
    if (!said) return write(...given)
    said[name] += String(given[0])
    return true
  })
}

function keepListeners(emitter: EventEmitter, event: string): () => void {
  const before = new Set(emitter.listeners(event))
  return () => {
    for (const listener of emitter.listeners(event))
      if (!before.has(listener)) emitter.off(event, listener as () => void) // it was one
  }
}

// Timers of a command end the process later, in case something holds it. They know whose they are, and outlive it.
const exit = process.exit.bind(process)
process.exit = ((code) => (commands.getStore() ? undefined : exit(code))) as typeof process.exit // the timer's end is all
