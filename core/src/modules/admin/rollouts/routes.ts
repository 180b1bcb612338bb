import { type Ctx, defineRoute, ListQuery, notFound, outsideTenants, Page, type Route } from '#kernel'
import {
  browseRollouts,
  getRollout,
  Rollout,
  RolloutParams,
  RolloutPatch,
  removeRollout,
  setRollout,
  termsInvalid,
} from '../../subscriptions/index.ts'
import { rolloutChanged, rolloutRemoved } from './events.ts'

const anyOperator = { operator: ['support', 'billing', 'operations'] } as const // words are types
const billing = { operator: ['billing'] } as const // as above
const params = RolloutParams

const listRoute = defineRoute({
  method: 'GET',
  path: '/admin/rollouts',
  name: 'listRollouts',
  summary: 'List what shares of all tenants have beside their plans',
  access: anyOperator,
  query: ListQuery({}),
  response: { 200: Page(Rollout) },
  handler: (ctx) => browseRollouts(ctx),
})

const getRoute = defineRoute({
  method: 'GET',
  path: '/admin/rollouts/:name',
  name: 'getRollout',
  summary: 'Get what a share of all tenants has of a limit or feature',
  access: anyOperator,
  params,
  response: { 200: Rollout },
  errors: [notFound],
  handler: (ctx, { params }) => getRollout(ctx, params.name),
})

const setRoute = defineRoute({
  method: 'PUT',
  path: '/admin/rollouts/:name',
  name: 'setRollout',
  summary: 'Give a share of all tenants a limit or a feature, whatever their plans say',
  description:
    'Which tenants are among a share follows from the name and their ids, so a greater one has all of a smaller one. An override of a tenant counts before it. It counts from the next request on, in every process, and ends by itself.',
  access: billing,
  params,
  body: RolloutPatch,
  response: { 200: Rollout },
  errors: [notFound, termsInvalid],
  handler: async (ctx, { params, body }) => {
    const { before, after } = await setRollout(ctx, params.name, body)
    if (after !== before) await record(ctx, before, after)
    return after
  },
})

const record = (ctx: Ctx, before: Rollout | null, after: Rollout): Promise<void> =>
  outsideTenants(ctx).emit(rolloutChanged, { id: after.name, ...(before && { before }), after })

const removeRoute = defineRoute({
  method: 'DELETE',
  path: '/admin/rollouts/:name',
  name: 'removeRollout',
  summary: 'Take from a share of all tenants what it has beside its plans',
  access: billing,
  params,
  response: { 204: null },
  errors: [notFound],
  handler: async (ctx, { params }): Promise<undefined> => {
    const before = await removeRollout(ctx, params.name)
    await outsideTenants(ctx).emit(rolloutRemoved, { id: before.name, before })
  },
})

export const rolloutRoutes: readonly Route[] = [listRoute, getRoute, setRoute, removeRoute]
