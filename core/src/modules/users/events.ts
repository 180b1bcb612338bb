import { defineEvent } from '#kernel'
import { User } from './schema.ts'

export const userUpdated = defineEvent('user.updated', {
  description: 'A person changed their profile, or their account was changed',
  data: User,
})
