import { defineEvent } from '#kernel'
import { PlanRecord } from '../../subscriptions/index.ts'

const about = { data: PlanRecord, resource: 'plan' }

export const planCreated = defineEvent('admin.plan_created', { description: 'An operator made a plan', ...about })
export const planUpdated = defineEvent('admin.plan_updated', {
  description: 'An operator changed what a plan is, costs or allows',
  ...about,
})
export const planDeleted = defineEvent('admin.plan_deleted', {
  description: 'An operator deleted a plan that nobody has',
  ...about,
})
