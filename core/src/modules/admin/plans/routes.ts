import {
  Closed,
  type Ctx,
  conflict,
  defineRoute,
  ListQuery,
  notFound,
  outsideTenants,
  Page,
  type Route,
  Uuid,
} from '#kernel'
import {
  browsePlans,
  createPlan,
  inspectPlan,
  NewPlan,
  OfferedPlan,
  PlanPatch,
  removePlan,
  revisePlan,
  termsInvalid,
} from '../../subscriptions/index.ts'
import { planCreated, planDeleted, planUpdated } from './events.ts'

const anyOperator = { operator: ['support', 'billing', 'operations'] } as const // words are types
const billing = { operator: ['billing'] } as const // as above
const params = Closed({ id: Uuid })

const listRoute = defineRoute({
  method: 'GET',
  path: '/admin/plans',
  name: 'listAllPlans',
  summary: 'List all plans with how many tenants have each',
  description: 'Private ones and those that are not active too, the newest first.',
  access: anyOperator,
  query: ListQuery({}),
  response: { 200: Page(OfferedPlan) },
  handler: (ctx) => browsePlans(ctx),
})

const getRoute = defineRoute({
  method: 'GET',
  path: '/admin/plans/:id',
  name: 'inspectPlan',
  summary: 'Get a plan with how many tenants have it',
  access: anyOperator,
  params,
  response: { 200: OfferedPlan },
  handler: (ctx, { params }) => inspectPlan(ctx, params.id),
})

const createRoute = defineRoute({
  method: 'POST',
  path: '/admin/plans',
  name: 'createPlan',
  summary: 'Make a plan',
  description: 'Private until `is_public` says otherwise. 409 for a code that is taken.',
  access: billing,
  body: NewPlan,
  response: { 201: OfferedPlan },
  errors: [conflict, termsInvalid],
  handler: async (ctx, { body }) => {
    const after = await createPlan(ctx, body)
    await outsideTenants(ctx).emit(planCreated, { after })
    return inspectPlan(ctx, after.id)
  },
})

const updateRoute = defineRoute({
  method: 'PUT',
  path: '/admin/plans/:id',
  name: 'updatePlan',
  summary: 'Change a plan',
  description:
    'What it allows counts from the next request on, in every process; where that is less than is in use, nothing is lost and nothing added. Code, price, currency and interval of a plan that somebody has stay: 409, make a new one.',
  access: billing,
  params,
  body: PlanPatch,
  response: { 200: OfferedPlan },
  errors: [notFound, conflict, termsInvalid],
  handler: async (ctx, { params, body }) => {
    const { before, after } = await revisePlan(ctx, params.id, body)
    if (after !== before) await outsideTenants(ctx).emit(planUpdated, { before, after })
    return inspectPlan(ctx, after.id)
  },
})

const deleteRoute = defineRoute({
  method: 'DELETE',
  path: '/admin/plans/:id',
  name: 'deletePlan',
  summary: 'Delete a plan that nobody has',
  description: '409 while a tenant has it, or will; for one that tenants begin with, or that modules name.',
  access: billing,
  params,
  response: { 204: null },
  errors: [notFound, conflict],
  handler: (ctx, { params }) => remove(ctx, params.id),
})

async function remove(ctx: Ctx, id: string): Promise<undefined> {
  const before = await removePlan(ctx, id)
  await outsideTenants(ctx).emit(planDeleted, { before })
}

export const planRoutes: readonly Route[] = [listRoute, getRoute, createRoute, updateRoute, deleteRoute]
