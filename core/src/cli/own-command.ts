import pino from 'pino'
import { createCore } from '../create-core.ts'
import type { Core } from '../kernel/core.ts'
import type { Command, CommandArguments, CommandOptions, OwnCommand } from './command.ts'
import { assertConnects } from './connections.ts'
import { visitEnvironment } from './environment.ts'
import { assertReady } from './ready.ts'
import { assertKeptSecretOpens } from './seals.ts'

/** An application's command in the shape of the built-in ones. */
export function toCommand(own: OwnCommand): Command {
  const { name, summary, help = `${summary}.`, options, operands } = own
  return {
    summary,
    help: (cli) => `Usage: ${cli} ${name}${usageOf(own)}\n\n${help}`,
    options,
    operands,
    run: (values, lineOptions, given) =>
      // Parsed by the very options that the handler's types were made of.
      withCore(lineOptions, (core) =>
        own.run(core, { options: values as CommandArguments['options'], operands: given }),
      ),
  }
}

function usageOf({ options = {}, operands = 0 }: OwnCommand): string {
  const named = Object.entries(options).map(([name, { type, multiple }]) => {
    const value = type === 'string' ? ' <value>' : ''
    return ` [--${name}${value}]${multiple ? '...' : ''}`
  })
  const given = operands === 0 ? '' : operands === 1 ? ' [argument]' : ' [argument]...'
  return [...named, given].join('')
}

// biome-ignore lint/suspicious/noConfusingVoidType: as OwnCommand.run
type Work = (core: Core) => Promise<number | void>

/** Gives a command a core of its own for as long as it works. `interrupt`: see `visitEnvironment`. */
export async function withCore(options: CommandOptions, work: Work, interrupt?: AbortController): Promise<number> {
  const environment = await visitEnvironment(options, { interrupt })
  try {
    const { config, keepsSecret } = environment
    await assertConnects(config, options.product)
    // Synchronous, so that no line is lost at the end; on standard error, apart from the command's own output.
    const log = pino({ level: config.log.level, base: null }, pino.destination({ dest: 2, sync: true }))
    const core = await createCore({ ...options, config, log })
    try {
      await assertReady(core)
      if (keepsSecret) await assertKeptSecretOpens(core)
      await core.prepare()
      return (await work(core)) ?? 0
    } finally {
      await core.close()
      // The embedded database ends next, which open connections would report.
      core.log.level = 'silent'
    }
  } finally {
    await environment.release()
  }
}
