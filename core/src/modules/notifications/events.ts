import { defineEvent } from '#kernel'
import { ActedRecord, PreferencesRecord } from './schema.ts'

export const preferencesUpdated = defineEvent('notification_preferences.updated', {
  resource: 'notification_preferences',
  description: 'A person chose otherwise what they are told, when, and by which ways',
  data: PreferencesRecord,
})
export const notificationActed = defineEvent('notification.acted', {
  description: 'A person took an action that a notification offers',
  data: ActedRecord,
})
