import { type Ctx, defineRoute, type PartialOperatorRole, type Route } from '#kernel'
import { getTenant } from '../../tenants/index.ts'
import { choosePlan, extend, reactivate, suspend } from '../acts.ts'
import { removeJob, retryJob } from '../jobs/acts.ts'
import { disable, enable, revokeSessions } from '../people/acts.ts'
import { actInBulk, type BulkAct } from './bulk.ts'
import { BulkAnswer, BulkOfJobs, BulkOfTenants, BulkOfUsers, checkBulkOfTenants } from './schema.ts'

const description =
  'Each by itself, with the records of the act alone and by its rules, whatever becomes of the others: look at the `outcome` of each. With `dry_run` the same is done and taken back. What is not begun within 20 seconds is `not_tried`. With an `Idempotency-Key` nothing is done twice, also where the first answer was lost.'
/** Each in a transaction of its own. */
const inBulk = { method: 'POST', description, transaction: 'manual', response: { 200: BulkAnswer } } as const // words are types
const outside: BulkAct['scope'] = () => ({ role: 'system', tenantId: null })
const inside: BulkAct['scope'] = (tenantId) => ({ role: 'system', tenantId })

/** The role that the act alone takes. */
const ROLE_FOR: Record<BulkOfTenants['action'], PartialOperatorRole> = {
  suspend: 'operations',
  reactivate: 'operations',
  'extend-trial': 'billing',
  'change-plan': 'billing',
}

const tenantsRoute = defineRoute({
  ...inBulk,
  path: '/admin/tenants/bulk',
  name: 'actOnTenants',
  summary: 'Suspend, reactivate, extend trials or change plans of many tenants',
  description: `${description} \`suspend\` and \`reactivate\` take the role \`operations\`, the others \`billing\`.`,
  access: { operator: ['billing', 'operations'] },
  entersTenants: true,
  body: BulkOfTenants,
  check: checkBulkOfTenants,
  handler: (ctx, { body }) => {
    ctx.requireOperator(ROLE_FOR[body.action])
    return actInBulk(ctx, body, { role: ROLE_FOR[body.action], scope: inside, act: actOnTenant(body) })
  },
})

function actOnTenant({ action, reason = '', days = 0, plan_id = '', at }: BulkOfTenants): BulkAct['act'] {
  const isAlready = async (ctx: Ctx, status: string) => (await getTenant(ctx.tx, ctx.tenantId)).status === status
  return async (ctx) => {
    switch (action) {
      case 'suspend':
        return (await isAlready(ctx, 'suspended')) ? false : suspend(ctx, reason)
      case 'reactivate':
        return (await isAlready(ctx, 'active')) ? false : reactivate(ctx)
      case 'extend-trial':
        return extend(ctx, days)
      case 'change-plan':
        return choosePlan(ctx, { plan_id, ...(at && { at }) })
    }
  }
}

const toPerson: Record<BulkOfUsers['action'], BulkAct['act']> = { disable, enable, 'revoke-sessions': revokeSessions }

const usersRoute = defineRoute({
  ...inBulk,
  path: '/admin/users/bulk',
  name: 'actOnUsers',
  summary: 'Disable, enable or sign out many people',
  access: { operator: ['operations'] },
  body: BulkOfUsers,
  handler: (ctx, { body }) => actInBulk(ctx, body, { role: 'operations', scope: outside, act: toPerson[body.action] }),
})

const toJob: Record<BulkOfJobs['action'], (ctx: Ctx, id: string) => Promise<unknown>> = {
  retry: retryJob,
  delete: removeJob,
}

const jobsRoute = defineRoute({
  ...inBulk,
  path: '/admin/jobs/bulk',
  name: 'actOnJobs',
  summary: 'Run many failed jobs again, or delete many jobs',
  access: { operator: ['operations'] },
  entersTenants: true,
  body: BulkOfJobs,
  handler: (ctx, { body }) =>
    actInBulk(ctx, body, {
      role: 'operations',
      scope: outside,
      act: async (ctx, id) => {
        await toJob[body.action](ctx, id)
        return true
      },
    }),
})

export const bulkRoutes: readonly Route[] = [tenantsRoute, usersRoute, jobsRoute]
