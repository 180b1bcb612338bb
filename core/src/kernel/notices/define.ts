import type { Static, TObject } from 'typebox'
import type { Ctx } from '../context.ts'
import type { Declared } from '../core.ts'
import type { EventDefinition, EventRecord } from '../events/define.ts'
import type { Letter, MailDefinition } from '../mails/define.ts'

export const NOTIFICATION_TYPES = ['info', 'warning', 'success', 'error'] as const // words on the wire
/** How much it presses, for colours and signs. */
export type NotificationType = (typeof NOTIFICATION_TYPES)[number]

/** Who is told of a kind. */
export type Audience =
  /** Those that a notice names: whom it is about. */
  | 'person'
  /** Every active member of the tenant. */
  | 'everyone'
  /** Members who hold the permission, in the store of the notice or for the whole tenant. */
  | { readonly permission: string }

/** A person who is told of something, in their language and time zone. */
export interface NotifiedPerson {
  readonly id: string
  readonly email: string
  readonly name: string
  readonly locale: string
  readonly timezone: string
}

/** What a person may do about a notification; its label is the text `notification.<kind>.actions.<name>`. */
export interface NotificationAction<T> {
  readonly name: string
  /** A path of the application, which mails open under `PUBLIC_URL`; or, with `link`, any address. */
  readonly route?: (data: T) => `/${string}`
  readonly link?: (data: T) => string
}

/** The mail of a kind that has one of its own, in place of the common one. */
export interface NotificationMail<T> {
  readonly mail: MailDefinition
  readonly letter: (data: T, person: NotifiedPerson) => Record<string, unknown>
}

/** What is told because of an event. */
export interface Told<T> {
  data: T
  /** Ids of those whom it is about, where the audience is `person`. */
  to?: readonly string[]
}

/** An event that a kind follows. */
export interface NotificationTrigger<T = never> {
  readonly event: EventDefinition
  /** Null: this once there is nothing to tell. */
  readonly tell: (event: EventRecord<never>, declared: Declared) => Told<T> | null
}

/** A kind of notification: when somebody is told what, and by which ways. */
export interface NotificationDefinition<T = never> {
  /** `user.invited`: what happened, and what preferences are set for. Never changes. */
  readonly kind: string
  readonly type: NotificationType
  /** What its texts are written from. It is stored and shown as `data`, so it holds no secret. */
  readonly data: TObject
  readonly audience: Audience
  /** Whoever did it knows, and is not told. Not for those that a notice names. */
  readonly exceptActor: boolean
  /** A feature of the plan without which nobody is told. */
  readonly feature: string | undefined
  readonly on: readonly NotificationTrigger<T>[]
  /** On unless a person switches them off: `in_app`, `email`, or what a module brings. */
  readonly channels: readonly string[]
  /** False: these channels cannot be switched off. */
  readonly canSwitchOff: boolean
  /** Nothing holds it back: quiet hours do not count. Implies that it cannot be switched off. */
  readonly security: boolean
  /** About the person and not the tenant: told once, in one of their tenants, and by mail where they have none. */
  readonly personal: boolean
  /** A person may have it by mail once a day together with others. */
  readonly digest: boolean
  /** A newer one takes the place of an unread older one of the same key. */
  readonly groupKey: ((data: T) => string) | undefined
  /** When it means nothing any more (ISO 8601): from then on it is not shown. */
  readonly expiresAt: ((data: T, at: string) => string | null) | undefined
  readonly actions: readonly NotificationAction<T>[]
  readonly mail: NotificationMail<T> | undefined
}

export const IN_APP = 'in_app'
export const EMAIL = 'email'
export const PUSH = 'push'
/** At most so many actions. */
export const MOST_ACTIONS = 2

type Optional =
  | 'exceptActor'
  | 'feature'
  | 'channels'
  | 'canSwitchOff'
  | 'security'
  | 'personal'
  | 'digest'
  | 'groupKey'
  | 'expiresAt'

/**
 * Declares a kind of notification; list it in the module's `notifications`. Its texts are `notification.<kind>.title`,
 * `.message` and, for the preferences, `.name` in the module's `messages`, written from `data`. It is told when an event
 * of `on` is emitted, or by hand with `ctx.notify`.
 */
export function defineNotification<D extends TObject>(
  kind: string,
  spec: { data: D } & Pick<NotificationDefinition<Static<D>>, 'type' | 'audience'> &
    Partial<Pick<NotificationDefinition<Static<D>>, Optional | 'on' | 'actions' | 'mail'>>,
): NotificationDefinition<Static<D>> {
  const { security = false } = spec
  return Object.freeze({
    kind,
    on: [],
    exceptActor: false,
    feature: undefined,
    channels: [IN_APP],
    personal: false,
    digest: false,
    groupKey: undefined,
    expiresAt: undefined,
    actions: [],
    mail: undefined,
    ...spec,
    security,
    canSwitchOff: security ? false : (spec.canSwitchOff ?? true),
  })
}

/** An event that a kind follows, and what is told of it (null: nothing). */
export function follows<E extends TObject, T>(
  event: EventDefinition<E>,
  tell: (event: EventRecord<Static<E>>, declared: Declared) => Told<T> | null,
): NotificationTrigger<T> {
  // The registry hands a trigger only events of its own definition.
  return Object.freeze({ event, tell: tell as NotificationTrigger<T>['tell'] })
}

/** The mail of a kind, written to a person. `mail` and its own data fit each other where the kind is declared. */
export function mailOf<D extends TObject, T>(
  mail: MailDefinition<D>,
  letter: (data: T, person: NotifiedPerson) => Static<D>,
): NotificationMail<T> {
  return { mail: mail as unknown as MailDefinition, letter: letter as NotificationMail<T>['letter'] } // checked when it is posted
}

/** What `ctx.notify` tells. */
export interface Notice<T> {
  data: T
  /** Whom it is about, where the audience is `person`. */
  to?: readonly NotifiedPerson[]
  /** The store that it is about: decides who holds the permission. */
  storeId?: string | null
  /** Default: that of the kind. */
  type?: NotificationType
  /** A UUIDv7: nobody is told twice under the same one. Default: a new one. */
  key?: string
}

/** *Who tells people?* Without a module that fills this slot, kinds with a mail of their own are mailed to those named. */
export interface Notifier {
  /** Has people told after the commit of `ctx`, and never when it is rolled back. */
  notify<T>(ctx: Ctx, kind: NotificationDefinition<T>, notice: Notice<T>): Promise<void>
  /** The same because of an event, in the job that follows it. */
  hear<T>(ctx: Ctx, kind: NotificationDefinition<T>, event: EventRecord, told: Told<T>): Promise<void>
}

/** Passes a notice to the notifier. Throws for a kind that no module lists. */
export async function postNotice<T>(ctx: Ctx, kind: NotificationDefinition<T>, notice: Notice<T>): Promise<void> {
  const { notifications, notifier } = ctx.registry
  if (!notifications.has(kind.kind)) throw new Error(`The notification ${kind.kind} belongs to no module of this core`)
  if (notifier) return notifier.notify(ctx, kind, notice)
  for (const person of notice.to ?? []) await mailNotice(ctx, kind, notice.data, person)
}

/** Sends the own mail of a kind; nothing where it has none. */
export async function mailNotice<T>(
  ctx: Ctx,
  { kind, canSwitchOff, mail: own }: NotificationDefinition<T>,
  data: T,
  person: NotifiedPerson,
): Promise<void> {
  if (!own) return
  const { email: to, locale, timezone } = person
  const unsubscribe = canSwitchOff ? { kind, userId: person.id } : null
  const letter: Letter<never> = { to, locale, timezone, unsubscribe, data: own.letter(data, person) as never } // its mail checks it
  await ctx.mail(own.mail, letter)
}
