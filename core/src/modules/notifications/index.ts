import { defineModule } from '#kernel'
import { auth } from '../auth/index.ts'
import { mail } from '../mail/index.ts'
import { members } from '../members/index.ts'
import { roles } from '../roles/index.ts'
import { tenants } from '../tenants/index.ts'
import { users } from '../users/index.ts'
import { announceOn } from './announcements/announce.ts'
import { updateAnnouncementsFor } from './announcements/announcement-queries.ts'
import * as announcementEvents from './announcements/events.ts'
import { announcementRoutes } from './announcements/routes.ts'
import { fanOut } from './delivery/fan-out.ts'
import { tellElsewhere } from './delivery/home.ts'
import { notifier } from './delivery/notifier.ts'
import { sendByChannel, sendDigest, sendHeld } from './delivery/sends.ts'
import * as events from './events.ts'
import { importedNotifications, importedPreferences, restoredNotifications } from './imported.ts'
import { announcementNotice } from './kinds.ts'
import { digestMail, notificationMail, securityNotificationMail } from './mails.ts'
import { unsubscribers } from './preferences/unsubscribe.ts'
import { pushChannel } from './push/channel.ts'
import { pushConfiguration } from './push/configuration.ts'
import * as pushEvents from './push/events.ts'
import { pushOne } from './push/push-one.ts'
import { pushRoutes } from './push/routes.ts'
import { sealedSubscriptions } from './push/sealed.ts'
import { forgetLeaver } from './push/subscriptions.ts'
import { notificationRoutes } from './routes.ts'
import { streamHub } from './stream/hub.ts'
import { streamRoutes } from './stream/routes.ts'
import { hideFromLeaver, hideFromReturners, removeHidden } from './upkeep/leaving.ts'
import { dropMonths, makeMonths, removeExpired } from './upkeep/schedules.ts'
import { settleRead } from './upkeep/settle-read.ts'

export { announce } from './announcements/announce.ts'
export * from './announcements/events.ts'
export * from './events.ts'
export { announcementNotice } from './kinds.ts'
export { digestMail, notificationMail } from './mails.ts'
export { countUnread, readAll, readNotification } from './operations.ts'
export { changeHours, changePreferences, readHours, readPreferences } from './preferences/preferences.ts'
export * from './push/events.ts'
export { Notification, NotificationPreference } from './schema.ts'

/** Tells people what happened: in a list of their own, by mail, and by whatever channels modules bring. */
export const notifications = defineModule({
  name: 'notifications',
  description: 'What people are told: their list, how many they have not read, and by which ways they want it.',
  dependsOn: [users, tenants, roles, members, mail, auth],
  migrations: new URL('./migrations/', import.meta.url),
  messages: new URL('./messages/', import.meta.url),
  events: [events, pushEvents, announcementEvents].flatMap((each) => Object.values(each)),
  routes: [...notificationRoutes, ...streamRoutes, ...pushRoutes, ...announcementRoutes],
  resources: [streamHub],
  channels: [pushChannel],
  configuration: pushConfiguration,
  sealed: [sealedSubscriptions],
  jobs: [fanOut, tellElsewhere, sendHeld, sendDigest, sendByChannel, settleRead, removeHidden, pushOne, announceOn],
  schedules: [removeExpired, makeMonths, dropMonths],
  listeners: [hideFromLeaver, ...hideFromReturners, forgetLeaver],
  mails: [notificationMail, securityNotificationMail, digestMail],
  notifications: [announcementNotice],
  notifier,
  unsubscribers,
  exported: {
    notifications: { imported: importedNotifications, restored: restoredNotifications },
    notification_preferences: { imported: importedPreferences },
    notification_counts: { never: 'counted anew from notifications' },
    notification_sends: { never: 'work under way in this installation' },
    push_subscriptions: { never: 'browsers take messages of this installation alone' },
  },
  holdings: [{ table: 'announcements', columns: ['tenant_ids', 'position'], remove: updateAnnouncementsFor }],
  cases: () => import('./notifications.cases.ts'),
})
