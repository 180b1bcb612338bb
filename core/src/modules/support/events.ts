import { defineEvent } from '#kernel'
import { Viewed } from './schema.ts'

export const supportViewed = defineEvent('admin.support_viewed', {
  description: 'An operator looked up what explains tickets about an address',
  data: Viewed,
  resource: 'user',
})
