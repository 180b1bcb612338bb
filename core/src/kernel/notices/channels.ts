import type { Ctx } from '../context.ts'
import type { Core } from '../core.ts'
import type { NotificationType, NotifiedPerson } from './define.ts'

/** A notification as a channel carries it to one person, in their language. */
export interface ChannelMessage {
  /** The notification's id: the same however often it is sent, so that a gateway can tell repeats. */
  id: string
  kind: string
  type: NotificationType
  title: string
  message: string
  data: Readonly<Record<string, unknown>>
  /** The address of its first action, if there is one. */
  link: string | null
  person: NotifiedPerson
  createdAt: string
}

/** `refused`: it will never be taken, for example because the number does not exist. */
export type ChannelOutcome = 'sent' | 'refused'

/**
 * A way to tell people besides the list in the application and mail, such as text messages. List it in the `channels` of a
 * module; people then find it among their preferences. A kind goes out by it where the kind's `channels` or the person say so.
 */
export interface NotificationChannel {
  /** As preferences name it: `sms`. */
  readonly name: string
  /** Whether this installation has it: it may need a setting. Left out: it does. People find it among their preferences only then. */
  isOpen?(core: Pick<Core, 'config'>): boolean
  /** Which of these people it can reach: who has a telephone number, say. Ids of them. In a transaction of their tenant. */
  reaches(ctx: Ctx, people: readonly NotifiedPerson[]): Promise<readonly string[]>
  /**
   * Sends to one person. In no transaction and at least once: a process may die before it is known. Throws to be tried again,
   * for about six hours.
   */
  send(ctx: Ctx, message: ChannelMessage): Promise<ChannelOutcome>
}

/** Declares a channel. */
export function defineChannel(channel: NotificationChannel): NotificationChannel {
  return Object.freeze({ ...channel })
}
