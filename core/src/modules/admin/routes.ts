import { conflict, defineRoute, notFound, Page, type Route, Streamed } from '#kernel'
import { downgradeExceedsLimits, PlanChange, termsInvalid } from '../subscriptions/index.ts'
import { slugTaken } from '../tenants/index.ts'
import { changeByOperator, choosePlan, extend, reactivate, suspend } from './acts.ts'
import { answerList, asFile } from './list-file.ts'
import { readOverview } from './overview.ts'
import {
  AdminTenant,
  ListedTenant,
  Overview,
  Suspension,
  TenantChanges,
  TenantParams,
  TenantQuery,
  TrialExtension,
} from './schema.ts'
import { tenantList } from './tenant-list.ts'
import { inTenant, readTenant } from './tenants.ts'

const anyOperator = { operator: ['support', 'billing', 'operations'] } as const // words are types
const operations = { operator: ['operations'] } as const // as above
const billing = { operator: ['billing'] } as const // as above
/** Work in one tenant, whose own log it is recorded in. */
const onTenant = {
  entersTenants: true,
  params: TenantParams,
  response: { 200: AdminTenant },
} as const // as above

const overviewRoute = defineRoute({
  method: 'GET',
  path: '/admin/overview',
  name: 'getOverview',
  summary: 'See how the installation does',
  access: anyOperator,
  response: { 200: Overview },
  handler: (ctx) => readOverview(ctx),
})

const listRoute = defineRoute({
  method: 'GET',
  path: '/admin/tenants',
  name: 'listAllTenants',
  summary: 'List all tenants',
  description:
    'The newest first. With `Accept: text/csv` all that the filters let through come as one file, whatever `limit` and `cursor` say; that is recorded.',
  access: anyOperator,
  ...asFile(Page(ListedTenant)),
  query: TenantQuery,
  response: { 200: Streamed },
  handler: (ctx, { query, headers }) => answerList(ctx, headers, tenantList(query)),
})

const getRoute = defineRoute({
  ...onTenant,
  method: 'GET',
  path: '/admin/tenants/:id',
  name: 'inspectTenant',
  summary: 'Get a tenant with what it has and uses',
  access: anyOperator,
  handler: (ctx, { params }) => inTenant(ctx, params.id, readTenant),
})

const updateRoute = defineRoute({
  ...onTenant,
  method: 'PUT',
  path: '/admin/tenants/:id',
  name: 'renameTenant',
  summary: 'Rename a tenant, or give it limits and features in place of what its plan says',
  description:
    'Name and slug take `operations`, overrides `billing`; 403 for what is not yours, and then nothing of it is done. An override counts from the next request on, in every process, and ends by itself. Where it is less than is in use, nothing is lost and nothing added.',
  access: { operator: ['operations', 'billing'] },
  body: TenantChanges,
  errors: [slugTaken, conflict, termsInvalid],
  handler: (ctx, { params, body }) =>
    inTenant(ctx, params.id, async (ctx) => {
      await changeByOperator(ctx, body)
      return readTenant(ctx)
    }),
})

const suspendRoute = defineRoute({
  ...onTenant,
  method: 'POST',
  path: '/admin/tenants/:id/suspend',
  name: 'suspendTenant',
  summary: 'Keep everybody out of a tenant',
  description:
    'From the next request on each of its people and keys gets 403 `tenant_suspended`; they reach their other tenants as before. Nothing is lost, and its jobs go on.',
  access: operations,
  body: Suspension,
  errors: [conflict],
  handler: (ctx, { params, body }) =>
    inTenant(ctx, params.id, async (ctx) => {
      await suspend(ctx, body.reason)
      return readTenant(ctx)
    }),
})

const reactivateRoute = defineRoute({
  ...onTenant,
  method: 'POST',
  path: '/admin/tenants/:id/reactivate',
  name: 'reactivateTenant',
  summary: 'Let everybody into a suspended or deleted tenant again',
  description:
    'A deleted one becomes what it was before, active or suspended, as long as its data is not being removed yet: 409 from then on.',
  access: operations,
  errors: [conflict],
  handler: (ctx, { params }) =>
    inTenant(ctx, params.id, async (ctx) => {
      await reactivate(ctx)
      return readTenant(ctx)
    }),
})

const extendRoute = defineRoute({
  ...onTenant,
  method: 'POST',
  path: '/admin/tenants/:id/extend-trial',
  name: 'extendTrial',
  summary: 'Let the trial of a tenant last longer',
  description:
    'From its end, or from now where that has passed and nothing followed it. 409 for any other subscription.',
  access: billing,
  body: TrialExtension,
  errors: [conflict],
  handler: (ctx, { params, body }) =>
    inTenant(ctx, params.id, async (ctx) => {
      await extend(ctx, body.days)
      return readTenant(ctx)
    }),
})

const planRoute = defineRoute({
  ...onTenant,
  method: 'POST',
  path: '/admin/tenants/:id/change-plan',
  name: 'changeTenantPlan',
  summary: 'Choose a plan for a tenant, private ones too',
  description: 'As the tenant itself would, by the same rules; 404 for a plan that is not active.',
  access: billing,
  body: PlanChange,
  errors: [notFound, conflict, downgradeExceedsLimits],
  handler: (ctx, { params, body }) =>
    inTenant(ctx, params.id, async (ctx) => {
      await choosePlan(ctx, body)
      return readTenant(ctx)
    }),
})

export const adminRoutes: readonly Route[] = [
  overviewRoute,
  listRoute,
  getRoute,
  updateRoute,
  suspendRoute,
  reactivateRoute,
  extendRoute,
  planRoute,
]
