import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import {
  Closed,
  defineChannel,
  defineModule,
  defineNotification,
  type Module,
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

/** One that means something for a while, and of which the latest of a name counts. */
export const offerNotice = defineNotification('offer.made', {
  type: 'info',
  channels: ['in_app'],
  data: Closed({ name: Type.String(), until: Type.String({ format: 'date-time' }) }),
  audience: 'everyone',
  groupKey: ({ name }) => name,
  actions: [
    { name: 'look', link: ({ name }) => name },
    { name: 'go', route: ({ name }) => `/${name}` },
  ],
  expiresAt: ({ until }) => until,
})

/** An application with a channel and kinds of its own. */
export async function makeAlarms(gateway = 'http://127.0.0.1:9'): Promise<{ module: Module; remove(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'messages-'))
  await writeFile(join(folder, 'en.json'), JSON.stringify(TEXTS))
  const module = defineModule({
    name: 'alarms',
    dependsOn: [notifications],
    channels: [gatewayAt(gateway)],
    notifications: [alarmNotice, offerNotice],
    messages: pathToFileURL(`${folder}/`),
  })
  return { module, remove: () => rm(folder, { recursive: true, force: true }) }
}

const TEXTS = {
  'notification.alarm.raised.name': 'Alarms',
  'notification.alarm.raised.title': 'Alarm at {place}',
  'notification.alarm.raised.message': 'Look after {place}.',
  'notification.offer.made.name': 'Offers',
  'notification.offer.made.title': '{name}',
  'notification.offer.made.actions.look': 'Look',
  'notification.offer.made.actions.go': 'Go',
  'notification.offer.made.message': 'Until {until, date, moment}.',
}
