import {
  Closed,
  defineChannel,
  defineModule,
  defineNotification,
  type NotificationChannel,
  SECONDS,
  Type,
} from '#kernel'
import { notifications } from '../index.ts'

/** Text messages by an HTTP gateway at this address, to everybody. */
export const gatewayAt = (url: string): NotificationChannel =>
  defineChannel({
    name: 'sms',
    reaches: async (_ctx, people) => people.map(({ id }) => id),
    async send(ctx, { id, title, message, person }) {
      const answer = await ctx.outbound.send({
        url,
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': id },
        body: JSON.stringify({ to: person.id, text: `${title}\n${message}` }),
        timeoutMs: 10 * SECONDS,
        maxAnswerBytes: 0,
      })
      if (answer.status === 422) return 'refused'
      if (answer.status >= 300) throw new Error(`The gateway answered ${answer.status}`)
      return 'sent'
    },
  })

/** Something that many are told at once, by all ways. */
export const alarmNotice = defineNotification('alarm.raised', {
  type: 'error',
  data: Closed({ place: Type.String() }),
  audience: { permission: 'store.view' },
  channels: ['in_app', 'email', 'sms'],
  digest: true,
  groupKey: ({ place }) => place,
})

/** One that means something for an hour. */
export const offerNotice = defineNotification('offer.made', {
  type: 'info',
  data: Closed({ name: Type.String(), until: Type.String({ format: 'date-time' }) }),
  audience: 'everyone',
  expiresAt: ({ until }) => until,
})

/** An application with a channel and kinds of its own. */
export const alarms = (gateway: NotificationChannel, messages: URL) =>
  defineModule({
    name: 'alarms',
    dependsOn: [notifications],
    channels: [gateway],
    notifications: [alarmNotice, offerNotice],
    messages,
  })
