import { defineConfiguration, kinds } from '#kernel'

export const notificationConfiguration = defineConfiguration({
  NOTIFICATION_RETENTION_DAYS: {
    kind: kinds.integer(7, 3650),
    default: '90',
    description:
      'For how many days notifications are kept. They are removed by whole months, so each stays for up to a month longer.',
  },
})
