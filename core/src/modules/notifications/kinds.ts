import { Closed, defineNotification, EMAIL, IN_APP, Type } from '#kernel'

// What the people say who run the installation: nobody else can have it written, so it is shown as it is.
const text = Type.String({ verbatim: true })

/** News of those who run the installation, to everybody of a tenant. */
export const announcementNotice = defineNotification('announcement', {
  type: 'info',
  data: Closed({ title: text, message: text }),
  audience: 'everyone',
  channels: [IN_APP, EMAIL],
  digest: true,
})
