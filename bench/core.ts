// The core as `tenantry serve` runs it, without a worker beside it.
import pino from 'pino'
import { builtinModules, createCore, loadConfig } from 'tenantry'
import { serve } from './child.ts'

const core = await createCore({
  config: loadConfig(process.env, builtinModules),
  modules: builtinModules,
  log: pino({ level: 'warn' }),
})
await serve(await core.app())
