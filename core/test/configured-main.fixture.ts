// An application with settings of its own in the environment, as its main would be.
import { defineConfiguration, defineModule, kinds } from '#kernel'
import { runCommand } from '../src/cli/commands.ts'
import { builtinModules } from '../src/modules/index.ts'

const billing = defineModule({
  name: 'billing',
  configuration: defineConfiguration({
    STRIPE_SECRET: { kind: kinds.secret(), default: null, secret: true, required: 'always', description: 'The key.' },
    STRIPE_RETRIES: { kind: kinds.integer(0, 9), default: '3', description: 'How often.' },
  }),
})

await runCommand(process.argv.slice(2), { modules: [...builtinModules, billing] })
