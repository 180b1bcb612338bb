import { defineEvent } from '#kernel'
import { User, UserSettings } from './schema.ts'

export const userUpdated = defineEvent('user.updated', {
  description: 'A person changed their profile, or their account was changed',
  data: User,
})

export const userSettingsUpdated = defineEvent('user_settings.updated', {
  description: 'A person changed their own settings',
  data: UserSettings,
  settings: 'user',
})
