import { Closed, defineEvent, Nullable, Type } from '#kernel'
import { UserAct } from './schema.ts'

const about = { data: UserAct, resource: 'user' }

export const userChangedByOperator = defineEvent('admin.user_changed', {
  description: 'An operator changed the name of a person, or whether their address counts as confirmed',
  ...about,
})
export const userDisabledByOperator = defineEvent('admin.user_disabled', {
  description: 'An operator disabled the account of a person, whose sessions ended',
  ...about,
})
export const userEnabledByOperator = defineEvent('admin.user_enabled', {
  description: 'An operator lets a person sign in again',
  ...about,
})
export const usersExported = defineEvent('admin.users_exported', {
  description: 'The list of people left the installation as a file',
  data: Closed({
    q: Nullable(Type.String({ description: 'What was looked for' })),
    status: Nullable(Type.String({ description: 'Of this status alone' })),
  }),
  resource: 'user',
})
