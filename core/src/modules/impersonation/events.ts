import { defineEvent } from '#kernel'
import { ImpersonationRecord } from './schema.ts'

const about = { data: ImpersonationRecord, resource: 'impersonation' }

export const impersonationBegun = defineEvent('admin.impersonation_begun', {
  description: 'An operator began to act as a person of a tenant',
  ...about,
})
export const impersonationEnded = defineEvent('admin.impersonation_ended', {
  description: 'An operator does not act as a person of a tenant any more',
  ...about,
})
