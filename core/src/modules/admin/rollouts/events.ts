import { defineEvent } from '#kernel'
import { Rollout } from '../../subscriptions/index.ts'

const about = { data: Rollout, resource: 'rollout' }

export const rolloutChanged = defineEvent('admin.rollout_changed', {
  description: 'An operator gave a share of all tenants a limit or a feature, or another share',
  ...about,
})
export const rolloutRemoved = defineEvent('admin.rollout_removed', {
  description: 'An operator took from a share of all tenants what it had beside its plans',
  ...about,
})
