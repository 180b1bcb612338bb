// The core as `tenantry serve` runs it, without a worker beside it.
import pino from 'pino'
import { builtinModules, createCore, loadConfig } from 'tenantry'
import { tellCost } from './tell-cost.ts'

const core = await createCore({ config: loadConfig(), modules: builtinModules, log: pino({ level: 'warn' }) })
const app = await core.app()
await app.listen({ host: '127.0.0.1', port: Number(process.env.BENCH_PORT) })
tellCost()
process.send?.('ready')
