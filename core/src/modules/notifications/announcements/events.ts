import { defineEvent } from '#kernel'
import { Announcement } from './schema.ts'

export const announcementCreated = defineEvent('announcement.created', {
  description: 'Those who run the installation announced something',
  data: Announcement,
})
