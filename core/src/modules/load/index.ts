import { defineModule } from '#kernel'
import { tenants } from '../tenants/index.ts'
import { loadConfiguration } from './configuration.ts'
import * as events from './events.ts'
import { loadHoldings } from './holdings.ts'
import { mergeLoad } from './merge.ts'
import { loadRoutes } from './routes.ts'
import { throttleSource } from './throttle.ts'
import { loadWriter } from './writer.ts'

export * from './events.ts'
export { Throttle } from './schema.ts'
export { endThrottle, readThrottle, throttleTenant } from './throttle.ts'

/** What each tenant makes the installation do, and what holds back one that makes it do too much. */
export const load = defineModule({
  name: 'load',
  description: 'Which tenants make the installation work most, and what holds one of them back.',
  dependsOn: [tenants],
  migrations: new URL('./migrations/', import.meta.url),
  configuration: loadConfiguration,
  events: Object.values(events),
  routes: loadRoutes,
  schedules: [mergeLoad],
  resources: [loadWriter],
  throttles: throttleSource,
  holdings: loadHoldings,
  exported: { tenant_throttles: { never: 'what the operator of this installation holds it to' } },
  cases: () => import('./load.cases.ts'),
})
