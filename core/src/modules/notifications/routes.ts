import { conflict, defineRoute, Page, type Route } from '#kernel'
import {
  archiveNotification,
  countUnread,
  pageNotifications,
  readAll,
  readNotification,
  removeNotification,
  takeAction,
} from './operations.ts'
import { changePreferences, readPreferences } from './preferences/preferences.ts'
import {
  Notification,
  NotificationParams,
  NotificationQuery,
  Preferences,
  PreferencesPatch,
  ReadAll,
  TakenAction,
  UnreadCount,
} from './schema.ts'

const own = { access: 'self' } as const // the word is a type
const ownOne = { access: 'self', params: NotificationParams } as const // as above

export const notificationRoutes: readonly Route[] = [
  defineRoute({
    ...own,
    method: 'GET',
    path: '/notifications',
    summary: 'List what you were told in this tenant',
    description: 'The latest first. What has expired is left out, and what you have archived unless it is asked for.',
    query: NotificationQuery,
    response: { 200: Page(Notification) },
    handler: (ctx, { query }) => pageNotifications(ctx, query),
  }),
  defineRoute({
    ...own,
    method: 'GET',
    path: '/notifications/unread-count',
    name: 'getUnreadCount',
    summary: 'Get how many you have not read',
    description: 'For the number on a bell: it costs the same however many there are.',
    response: { 200: UnreadCount },
    handler: async (ctx) => ({ unread_count: await countUnread(ctx) }),
  }),
  defineRoute({
    ...own,
    method: 'PUT',
    path: '/notifications/read-all',
    name: 'readAllNotifications',
    summary: 'Mark all as read',
    response: { 200: ReadAll },
    handler: async (ctx) => ({ updated: await readAll(ctx) }),
  }),
  defineRoute({
    ...ownOne,
    method: 'PUT',
    path: '/notifications/:id/read',
    name: 'readNotification',
    summary: 'Mark one as read',
    response: { 200: Notification },
    handler: (ctx, { params }) => readNotification(ctx, params.id),
  }),
  defineRoute({
    ...ownOne,
    method: 'POST',
    path: '/notifications/:id/archive',
    summary: 'Put one away',
    description: 'You have read it by that. It stays readable with `archived=true`.',
    response: { 200: Notification },
    handler: (ctx, { params }) => archiveNotification(ctx, params.id),
  }),
  defineRoute({
    ...ownOne,
    method: 'POST',
    path: '/notifications/:id/act',
    name: 'takeNotificationAction',
    summary: 'Record which of its actions you took',
    description:
      'One of `data.actions`, by its name; you have read it by that. The same one again changes nothing, another one is 409. What the action means is for the page that it leads to.',
    errors: [conflict],
    body: TakenAction,
    response: { 200: Notification },
    handler: (ctx, { params, body }) => takeAction(ctx, params.id, body),
  }),
  defineRoute({
    ...ownOne,
    method: 'DELETE',
    path: '/notifications/:id',
    summary: 'Delete one',
    response: { 204: null },
    handler: (ctx, { params }) => removeNotification(ctx, params.id),
  }),
  defineRoute({
    ...own,
    method: 'GET',
    path: '/notifications/preferences',
    name: 'getNotificationPreferences',
    summary: 'Get what you are told here, when, and by which ways',
    description: 'The kinds that can reach you in this tenant, by what you may do and what its plan has.',
    response: { 200: Preferences },
    handler: (ctx) => readPreferences(ctx),
  }),
  defineRoute({
    ...own,
    method: 'PUT',
    path: '/notifications/preferences',
    name: 'updateNotificationPreferences',
    summary: 'Choose what you are told here, when, and by which ways',
    description:
      'Kinds and fields that are not named stay as they are. What concerns your security cannot be switched off, and quiet hours do not hold it back.',
    body: PreferencesPatch,
    response: { 200: Preferences },
    handler: (ctx, { body }) => changePreferences(ctx, body),
  }),
]
