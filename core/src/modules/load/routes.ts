import { conflict, defineRoute, insideTenant, type Route } from '#kernel'
import { readLoad } from './report.ts'
import { checkUntil, Load, LoadQuery, NewThrottle, Throttle, ThrottleParams } from './schema.ts'
import { endThrottle, throttleTenant } from './throttle.ts'

const operations = { operator: ['operations'] } as const // words are types
/** Work in one tenant, whose own log it is recorded in. */
const onTenant = { entersTenants: true, params: ThrottleParams, access: operations } as const // as above

export const loadRoutes: readonly Route[] = [
  defineRoute({
    method: 'GET',
    path: '/admin/load',
    name: 'getLoad',
    summary: 'See which tenants make the installation work most',
    description:
      'The 20 with most of each measure. Figures, not facts: a process that is killed takes those of its last 15 seconds with it.',
    access: { operator: ['operations', 'support'] },
    query: LoadQuery,
    response: { 200: Load },
    handler: (ctx, { query }) => readLoad(ctx, query.window ?? '5m'),
  }),
  defineRoute({
    ...onTenant,
    method: 'POST',
    path: '/admin/tenants/:id/throttle',
    name: 'throttleTenant',
    summary: 'Hold a tenant to so many requests a minute',
    description:
      'From the next request on, in every process: what comes beyond is 429 with `Retry-After`. Its jobs run one at a time. In the place of a throttle that there is.',
    body: NewThrottle,
    check: checkUntil,
    response: { 200: Throttle },
    errors: [conflict],
    handler: (ctx, { params, body }) => throttleTenant(insideTenant(ctx, params.id), body),
  }),
  defineRoute({
    ...onTenant,
    method: 'DELETE',
    path: '/admin/tenants/:id/throttle',
    name: 'unthrottleTenant',
    summary: 'Hold a tenant back no longer',
    description: '404 where nothing holds it back.',
    response: { 204: null },
    handler: (ctx, { params }) => endThrottle(insideTenant(ctx, params.id)),
  }),
]
