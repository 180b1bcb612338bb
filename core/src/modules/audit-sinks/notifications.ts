import { Closed, defineNotification, EMAIL, follows, IN_APP, Type } from '#kernel'
import { auditSinkPaused } from './events.ts'

/** A stream of the audit log paused itself: its receiver took nothing for days. */
export const sinkDisabledNotice = defineNotification('audit_sink.disabled', {
  type: 'error',
  data: Closed({ url: Type.String(), host: Type.String({ verbatim: true }) }),
  audience: { permission: 'audit.stream' },
  channels: [IN_APP, EMAIL],
  on: [
    follows(auditSinkPaused, ({ after }) => {
      if (after?.paused_reason !== 'failing' || !after.url) return null
      return { data: { url: after.url, host: URL.parse(after.url)?.host ?? '' } }
    }),
  ],
})
