import pino from 'pino'
import { createCore } from '../create-core.ts'
import { ConfigError } from '../kernel/config/config.ts'
import { type ConfigurationEntry, describeDeclared } from '../kernel/config/declared.ts'
import { readEnv } from '../kernel/config/env.ts'
import { type Command, type CommandOptions, say } from './command.ts'
import { checkConnections } from './connections.ts'
import { examine, type Finding } from './doctor-looks.ts'
import { type Environment, visitEnvironment } from './environment.ts'
import { explain } from './failures.ts'
import { counted } from './migrate.ts'

export const doctor: Command = {
  summary: 'look at configuration, database, roles, row-level security, mail, files and clock',
  help: (cli) => `Usage: ${cli} doctor

Looks at everything an installation rests on and says what is wrong and what to do. Exit code 0 when all is well, 1
otherwise. Changes nothing: where the embedded PostgreSQL does not run, it starts it for the time it looks, and what it
writes to the file storage, to read it again, it removes.`,
  async run(_values, options) {
    let wrong = 0
    for await (const finding of findings(options)) {
      report(finding)
      wrong += finding.problems.length
    }
    say(wrong === 0 ? '\nAll is well.' : `\n${counted(wrong, 'problem')}.`)
    return wrong === 0 ? 0 : 1
  },
}

/** Each check needs the previous ones, so the first failure ends it. */
async function* findings(options: CommandOptions): AsyncGenerator<Finding> {
  let environment: Environment
  try {
    environment = await visitEnvironment(options)
  } catch (error) {
    if (error instanceof ConfigError)
      yield { name: 'configuration', problems: error.problems, advice: adviceOn(error.problems, options) }
    else yield { name: 'database', problems: [explain(error)] }
    return
  }
  const { config } = environment
  try {
    yield { name: 'configuration', problems: [], fine: `every setting is valid (${config.env})` }
    for (const { module, says } of describeDeclared(readEnv().source, options.modules))
      yield { name: `configuration of ${module}`, problems: [], fine: says }
    const problems = await checkConnections(config, options.product)
    yield { name: 'connections', problems, fine: 'every database URL leads to a database' }
    if (problems.length > 0) return
    const core = await createCore({ ...options, config, log: pino({ level: 'silent' }) })
    try {
      yield* examine(core)
    } finally {
      await core.close()
    }
  } catch (error) {
    yield { name: 'core', problems: [explain(error)] }
  } finally {
    await environment.release()
  }
}

/** What a module declares is explained here, because an application has no page of its settings. */
function adviceOn(problems: readonly string[], { modules }: CommandOptions): string {
  const declared = modules.flatMap(({ name: module, configuration }) =>
    Object.entries<ConfigurationEntry>(configuration?.entries ?? {}).map(([name, { description }]) => ({
      module,
      name,
      description,
    })),
  )
  const namedIn = (problem: string) => declared.filter(({ name }) => problem.split(/\W+/).includes(name))
  const isOfCore = problems.some((problem) => namedIn(problem).length === 0)
  const explained = new Set(problems.flatMap(namedIn))
  return [
    `Correct the environment or .env${isOfCore ? '; docs/configuration.md of Tenantry explains the settings of the core' : ''}.`,
    ...[...explained].map(({ module, name, description }) => `${name} (${module}): ${description}`),
  ].join('\n         ')
}

function report({ name, problems, fine = '', advice }: Finding): void {
  if (problems.length === 0) say(`  ok     ${name}: ${fine}`)
  for (const problem of problems) say(`  WRONG  ${name}: ${problem}`)
  if (problems.length > 0 && advice) say(`         ${advice}`)
}
