import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import type { Module } from '../kernel/module.ts'
import { codeOf, explain, UsageError } from './failures.ts'

/** What the command line is run for. */
export interface CommandOptions {
  modules: readonly Module[]
}

/** One command of the `tenantry` command line. */
export interface Command {
  summary: string
  help: string
  options?: Record<string, { type: 'string' | 'boolean'; multiple?: boolean }>
  /** How many arguments it takes beside options. Default: none. */
  operands?: number
  /** Resolves to the exit code once all is done, for a server once it has stopped. */
  run(values: Values, options: CommandOptions, operands: string[]): Promise<number>
}

/** The options that were given; those that may be given more than once are lists. */
export type Values = Record<string, string | boolean | (string | boolean)[] | undefined>

/** Each is loaded when it is called for. */
const commands = new Map<string, () => Promise<Command>>([
  ['start', async () => (await import('./start.ts')).start],
  ['serve', async () => (await import('./start.ts')).serve],
  ['worker', async () => (await import('./start.ts')).worker],
  ['migrate', async () => (await import('./migrate.ts')).migrateCommand],
  ['db setup', async () => (await import('./db-setup.ts')).dbSetup],
  ['doctor', async () => (await import('./doctor.ts')).doctor],
  ['audit verify', async () => (await import('./audit-verify.ts')).auditVerify],
])

/** First words of commands that have two. */
const groups = new Set([...commands.keys()].flatMap((name) => (name.includes(' ') ? (name.split(' ')[0] ?? []) : [])))

/** After this long whatever still holds the process, although its command has ended, holds it no more. */
const LINGER_MS = 3_000

/**
 * Runs the command that the arguments name and sets the exit code: 0 when all is well, 1 when something is wrong, 2 when
 * the arguments are. Applications call it with their own modules.
 */
export async function runCommand(args: string[], options: CommandOptions): Promise<void> {
  const [first = '--help', second] = args
  // Whoever reads may have read enough (`tenantry doctor | head -1`): what is said then is lost, and the work goes on.
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error) => {
      if (codeOf(error) !== 'EPIPE') throw error
    })
  const name = groups.has(first) && second?.startsWith('-') === false ? `${first} ${second}` : first
  try {
    process.exitCode = await run(name, args.slice(name.split(' ').length), options)
  } catch (error) {
    process.stderr.write(`tenantry${commands.has(name) ? ` ${name}` : ''}: ${explain(error)}\n`)
    process.exitCode = error instanceof UsageError ? 2 : 1
  }
  setTimeout(() => process.exit(), LINGER_MS).unref()
}

async function run(name: string, args: string[], options: CommandOptions): Promise<number> {
  if (['--version', '-v', 'version'].includes(name)) return say(await readVersion())
  const isGroup = groups.has(name) && ['--help', '-h'].includes(args[0] ?? '')
  if (isGroup || ['--help', '-h', 'help'].includes(name)) return say(await describeAll())
  const command = await commands.get(name)?.()
  if (!command) throw new UsageError(`there is no ${name.startsWith('-') ? 'option' : 'command'} "${name}"`)
  const { values, positionals } = parse(name, args, command)
  return values.help ? say(command.help) : command.run(values, options, positionals)
}

function parse(name: string, args: string[], { options, operands = 0 }: Command) {
  try {
    const help = { type: 'boolean', short: 'h' } as const // the words are the type
    const parsed = parseArgs({ args, options: { ...options, help }, allowPositionals: operands > 0 })
    const [extra] = parsed.positionals.slice(operands)
    if (extra !== undefined) throw new Error(`Unexpected argument '${extra}'`)
    return parsed
  } catch (error) {
    // It says in its first sentence what is wrong, and then how to write what nobody here wants to write.
    const [problem = ''] = explain(error).split(/\. |\n/)
    throw new UsageError(problem, `tenantry ${name} --help`)
  }
}

async function describeAll(): Promise<string> {
  const width = Math.max(...[...commands.keys()].map((name) => name.length))
  const lines = await Promise.all(
    [...commands].map(async ([name, load]) => `  ${name.padEnd(width + 1)} ${(await load()).summary}`),
  )
  const usage = 'Usage: tenantry <command> [options]'
  return [usage, '', ...lines, '', 'tenantry <command> --help says more, tenantry --version which one this is.'].join(
    '\n',
  )
}

async function readVersion(): Promise<string> {
  const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'))
  return version
}

/** Writes a line for the person at the terminal. Returns the exit code of a command that only had this to say. */
export function say(text: string): 0 {
  process.stdout.write(`${text}\n`)
  return 0
}
