import { basename, extname, isAbsolute, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { completeProduct, type Product } from '../kernel/product.ts'
import { errorCode } from '../kernel/system-errors.ts'
import { type Command, type CommandLineOptions, type CommandOptions, type OwnCommand, say } from './command.ts'
import { explain, UsageError } from './failures.ts'

type Commands = ReadonlyMap<string, () => Promise<Command>>

/** Each module is loaded when its command is called. */
const builtin: Commands = new Map([
  ['start', async () => (await import('./start.ts')).start],
  ['serve', async () => (await import('./start.ts')).serve],
  ['worker', async () => (await import('./start.ts')).worker],
  ['migrate', async () => (await import('./migrate.ts')).migrateCommand],
  ['db setup', async () => (await import('./db-setup.ts')).dbSetup],
  ['doctor', async () => (await import('./doctor.ts')).doctor],
  ['admin create', async () => (await import('./admin-create.ts')).adminCreate],
  ['admin suspend', async () => (await import('./admin-tenants.ts')).adminSuspend],
  ['admin reactivate', async () => (await import('./admin-tenants.ts')).adminReactivate],
  ['admin delete', async () => (await import('./admin-tenants.ts')).adminDelete],
  ['admin certificate', async () => (await import('./admin-certificate.ts')).adminCertificate],
  ['admin revoke-sessions', async () => (await import('./admin-sessions.ts')).adminRevokeSessions],
  ['audit verify', async () => (await import('./audit-verify.ts')).auditVerify],
  ['files move', async () => (await import('./files-move.ts')).filesMove],
  ['files check', async () => (await import('./files-check.ts')).filesCheck],
  ['people import', async () => (await import('./people-import.ts')).peopleImport],
  ['tenant import', async () => (await import('./tenant-import.ts')).tenantImport],
  ['tenant restore', async () => (await import('./tenant-restore.ts')).tenantRestore],
  ['listen', async () => (await import('./listen.ts')).listen],
  ['trigger', async () => (await import('./trigger.ts')).trigger],
])

/** Anything that keeps the process running after its command has ended is cut off after this time. */
const LINGER_MS = 3_000

/**
 * The command line of an application: `start`, `serve`, `worker`, `migrate`, `db setup`, `doctor`, `admin …`, `audit verify`,
 * `files move`, `files check`, `people import`, `tenant import`, `tenant restore`, `listen`, `trigger` and its own `commands`, for its own modules. Reads `.env`, starts the embedded
 * database where none is configured, runs the command that the arguments name and sets the exit code: 0 when all is well, 1 when something is wrong
 * (and said), 2 when the arguments are.
 */
export async function runCommand(args: readonly string[], options: CommandLineOptions): Promise<void> {
  // The reader may close the pipe (`doctor | head -1`): further output is lost, and the command continues.
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error) => {
      if (errorCode(error) !== 'EPIPE') throw error
    })
  process.exitCode = await runLine(args, options)
  setTimeout(() => process.exit(), LINGER_MS).unref()
}

/** Returns the exit code. Errors are written to standard error with the name of the command. */
async function runLine(args: readonly string[], options: CommandLineOptions): Promise<number> {
  let called = options.product?.command ?? callOf(process.argv[1])
  try {
    const { commands: own = [], product: given, ...rest } = options
    const product = completeProduct({ command: called, ...given })
    const commands = collectCommands(own)
    const name = nameIn(args, commands)
    if (!commands.has(name)) return await answerWithout(name, args, { commands, product })
    called = `${called} ${name}`
    return await run(name, args.slice(name.split(' ').length), { commands, options: { ...rest, product } })
  } catch (error) {
    const hint = error instanceof UsageError ? `. See: ${called} --help` : ''
    process.stderr.write(`${called}: ${explain(error)}${hint}\n`)
    return error instanceof UsageError ? 2 : 1
  }
}

/** As the process was called: `node main.ts`, or the name of a program. */
function callOf(script = 'tenantry'): string {
  if (extname(script) === '') return basename(script)
  const path = relative(process.cwd(), script)
  return `node ${path.startsWith('..') || isAbsolute(path) ? script : path}`
}

/** @throws Error when an own command cannot be told apart from the others */
function collectCommands(own: readonly OwnCommand[]): Commands {
  const commands = new Map(builtin)
  for (const command of own) {
    const { name, options = {} } = command
    if (!/^[a-z][a-z0-9-]*(?: [a-z][a-z0-9-]*)?$/.test(name))
      throw new Error(
        `The command "${name}" needs a name of one or two words in lower-case letters, digits and hyphens`,
      )
    if (commands.has(name) || name === 'help' || name === 'version') throw new Error(`There are two commands "${name}"`)
    if ('help' in options || Object.values(options).some(({ short }) => short === 'h'))
      throw new Error(`The command "${name}" has an option of its own named --help or -h`)
    commands.set(name, async () => (await import('./own-command.ts')).toCommand(command))
  }
  for (const name of groupsOf(commands))
    if (commands.has(name)) throw new Error(`"${name}" is a command and the first word of another one`)
  return commands
}

/** First words of commands that have two. */
function groupsOf(commands: Commands): ReadonlySet<string> {
  return new Set([...commands.keys()].flatMap((name) => (name.includes(' ') ? (name.split(' ')[0] ?? []) : [])))
}

function nameIn([first = '--help', second]: readonly string[], commands: Commands): string {
  return groupsOf(commands).has(first) && second?.startsWith('-') === false ? `${first} ${second}` : first
}

interface Line {
  commands: Commands
  product: Product
}

/** Answers help, the version and unknown commands. */
async function answerWithout(name: string, [, next = '']: readonly string[], line: Line): Promise<number> {
  if (['--version', '-v', 'version'].includes(name)) return say(line.product.version)
  const isGroup = groupsOf(line.commands).has(name) && ['--help', '-h'].includes(next)
  if (isGroup || ['--help', '-h', 'help'].includes(name)) return say(await describeAll(line))
  throw new UsageError(`there is no ${name.startsWith('-') ? 'option' : 'command'} "${name}"`)
}

async function run(
  name: string,
  args: readonly string[],
  { commands, options }: { commands: Commands; options: CommandOptions },
): Promise<number> {
  const command = await commands.get(name)!() // the caller has looked
  const { values, positionals } = parse(args, command)
  return values.help ? say(command.help(options.product.command)) : command.run(values, options, positionals)
}

function parse(args: readonly string[], { options, operands = 0 }: Command) {
  try {
    const help = { type: 'boolean', short: 'h' } as const // the words are the type
    const parsed = parseArgs({ args: [...args], options: { ...options, help }, allowPositionals: operands > 0 })
    const [extra] = parsed.positionals.slice(operands)
    if (extra !== undefined) throw new Error(`Unexpected argument '${extra}'`)
    return parsed
  } catch (error) {
    // The parser's first sentence names the problem; the rest is advice that does not apply here.
    const [problem = ''] = explain(error).split(/\.\s|\n/)
    throw new UsageError(problem.replace('argument is ambiguous', 'has no value: what follows it begins with a dash'))
  }
}

async function describeAll({ commands, product: { command: cli } }: Line): Promise<string> {
  const width = Math.max(...[...commands.keys()].map((name) => name.length))
  const lines = await Promise.all(
    [...commands].map(async ([name, load]) => `  ${name.padEnd(width + 1)} ${(await load()).summary}`),
  )
  const last = `${cli} <command> --help says more, ${cli} --version which one this is.`
  return [`Usage: ${cli} <command> [options]`, '', ...lines, '', last].join('\n')
}
