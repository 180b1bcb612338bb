// The core of bench/load.ts, which counts what tenants cost, or does not, as it is told.
import pino from 'pino'
import { builtinModules, createCore, loadConfig } from 'tenantry'
import { serve } from './child.ts'

const core = await createCore({
  config: loadConfig(process.env, builtinModules),
  modules: builtinModules,
  log: pino({ level: 'warn' }),
})
process.on('message', (message) => {
  if (message === 'count') core.load.start()
  if (message === 'rest') core.load.stop()
})
await serve(await core.app())
