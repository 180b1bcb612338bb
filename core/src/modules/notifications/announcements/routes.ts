import { defineRoute, type Route } from '#kernel'
import { announce } from './announce.ts'
import { Announcement, NewAnnouncement } from './schema.ts'

export const announcementRoutes: readonly Route[] = [
  defineRoute({
    method: 'POST',
    path: '/admin/announcements',
    name: 'announce',
    summary: 'Announce something to the people of all tenants, or of some',
    description:
      'For those who run the installation. Everybody finds it in their list and in their mail, as they chose; nobody is told twice. It takes a while where people are many, and nobody else waits for it.',
    access: 'superAdmin',
    body: NewAnnouncement,
    response: { 202: Announcement },
    handler: (ctx, { body }) => announce(ctx, body),
  }),
]
