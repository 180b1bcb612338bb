import {
  Closed,
  CreatedAt,
  Described,
  ListQuery,
  NOTIFICATION_TYPES,
  Nullable,
  OneOf,
  OwnId,
  Patch,
  Short,
  type Static,
  TenantId,
  Timestamp,
  Type,
  UpdatedAt,
  Uuid,
} from '#kernel'
import { TIMEZONE_SOURCES } from './preferences/reader.ts'

const type = OneOf(NOTIFICATION_TYPES, { description: 'How much it presses' })
const kind = Type.String({ description: 'What happened; preferences are set for it', examples: ['user.invited'] })
const moment = (description: string) => Nullable(Described(Timestamp, description))
const actionName = Type.String({ description: 'By what it is taken', examples: ['reset'] })

const Action = Closed({
  name: actionName,
  label: Type.String({ description: "What to do, in the reader's language", examples: ['Choose a plan'] }),
  route: Nullable(Type.String({ description: 'Where in the application it leads', examples: ['/settings/plan'] })),
  link: Nullable(Type.String({ description: 'Or to which address', examples: ['https://example.com/status'] })),
})

export const Notification = Closed(
  {
    id: OwnId,
    tenant_id: TenantId,
    user_id: Described(Uuid, 'Who is told'),
    type,
    kind,
    title: Type.String({ description: "What happened, in the reader's language", examples: ['Eve has joined'] }),
    message: Type.String({
      description: 'The same in a sentence or two. Plain text',
      examples: ['Eve has joined Acme.'],
    }),
    data: Type.Object(
      {
        actions: Type.Array(Action, { maxItems: 2, description: 'What the reader may do about it, at most two' }),
      },
      { additionalProperties: true, description: 'What the texts are made of, by the kind, and what may be done' },
    ),
    channel: OneOf(['in_app', 'email', 'push'], { description: 'How it came; here `in_app`' }),
    read_at: moment('When it was read; null: not yet'),
    archived_at: moment('When it was put away; null: it is in the list'),
    expires_at: moment('From when on it is not shown; null: it stays'),
    outcome: Nullable(
      Closed(
        { action: actionName, at: Described(Timestamp, 'When it was taken') },
        {
          description: 'Which of its actions was taken; null: none yet',
        },
      ),
    ),
    sent_at: moment('When it came'),
    created_at: CreatedAt,
    updated_at: UpdatedAt,
  },
  { title: 'Notification', description: 'What one person is told' },
)
export type Notification = Static<typeof Notification>

export const NotificationQuery = ListQuery({
  unread: Type.Optional(Type.Boolean({ description: '`true`: unread ones, `false`: those that were read' })),
  type: Type.Optional(type),
  kind: Type.Optional(Type.String({ maxLength: 100, description: 'What happened', examples: ['user.invited'] })),
  archived: Type.Optional(Type.Boolean({ description: '`true`: those that were put away, in place of the others' })),
})
export type NotificationFilter = Pick<Static<typeof NotificationQuery>, 'unread' | 'type' | 'kind' | 'archived'>
export const NotificationParams = Closed({ id: Uuid })

export const UnreadCount = Closed(
  { unread_count: Type.Integer({ description: 'How many are unread' }) },
  { title: 'UnreadCount' },
)
export const ReadAll = Closed(
  { updated: Type.Integer({ description: 'How many were unread until now' }) },
  { title: 'ReadAll' },
)

export const TakenAction = Closed(
  {
    action: Type.String({
      minLength: 1,
      maxLength: 60,
      description: 'The name of one of its actions',
      examples: ['reset'],
    }),
  },
  { title: 'TakenAction' },
)
export type TakenAction = Static<typeof TakenAction>

/** What is recorded of a taken action. */
export const ActedRecord = Closed({ id: Uuid, user_id: Uuid, kind: Type.String(), action: Type.String() })

const enabled = (way: string) => Type.Boolean({ description: `Whether it comes ${way}` })
const inApp = enabled('into the list of the application')
const email = enabled('by mail')
const push = Type.Boolean({
  description: 'Whether it comes to the devices of the person; always false where nothing brings it there',
  examples: [false],
})
const digest = Type.Boolean({ description: 'Its mails come once a day, together with others' })
const channels = Type.Array(
  Closed({
    name: Type.String({ maxLength: 60, description: 'The name of the channel', examples: ['sms'] }),
    enabled: enabled('by this channel'),
  }),
  {
    maxItems: 20,
    description: 'The same for channels that modules bring',
    // Which there are is for the modules to say.
    examples: [[]],
  },
)

const clock = {
  timezone: Type.String({ description: 'By whose clock quiet hours and digests go', examples: ['Europe/Berlin'] }),
  timezone_source: OneOf(TIMEZONE_SOURCES, {
    description: "Where that is from: the person's own, else the tenant's, else UTC",
  }),
}

export const NotificationPreference = Closed(
  {
    notification_type: kind,
    name: Type.String({ description: "What it is called in the reader's language", examples: ['Invitations'] }),
    in_app_enabled: inApp,
    email_enabled: email,
    push_enabled: push,
    channels,
    email_digest: Nullable(
      Type.Boolean({ description: 'Its mails come once a day, together with others; null: they never do' }),
    ),
    can_switch_off: Type.Boolean({ description: 'False: what it comes by at first cannot be switched off' }),
    ignores_quiet_hours: Type.Boolean({ description: 'It comes at once, whatever the hour' }),
    ...clock,
  },
  { title: 'NotificationPreference', description: 'By which ways a kind comes to the person' },
)
export type NotificationPreference = Static<typeof NotificationPreference>

const time = (description: string, example: string) =>
  Type.String({
    pattern: '^([01][0-9]|2[0-3]):[0-5][0-9]$',
    says: 'must be a time such as 22:00',
    description,
    examples: [example],
  })
export const QuietHours = Nullable(
  Closed(
    { from: time('When they begin', '22:00'), to: time('When they end; before `from`: on the next day', '07:00') },
    {
      description:
        'When nothing comes by mail or to a device: it waits. What is in the list is there at once. Null: never',
    },
  ),
)

export const Preferences = Short(NotificationPreference)
export type Preferences = Static<typeof Preferences>

export const Hours = Closed(
  {
    quiet_hours: QuietHours,
    ...clock,
    digest_time: Type.String({ description: 'When mails of a day come together, by that clock', examples: ['08:00'] }),
  },
  { title: 'NotificationHours', description: 'When a person is not to be disturbed here, and by whose clock' },
)
export type Hours = Static<typeof Hours>

export const HoursPatch = Patch({ quiet_hours: QuietHours }, { title: 'NotificationHoursPatch' })
export type HoursPatch = Static<typeof HoursPatch>

const PreferenceChange = Closed({
  notification_type: Type.String({ maxLength: 100, description: 'The kind', examples: ['user.invited'] }),
  in_app_enabled: Type.Optional(inApp),
  email_enabled: Type.Optional(email),
  push_enabled: Type.Optional(push),
  channels: Type.Optional(channels),
  email_digest: Type.Optional(digest),
})
export type PreferenceChange = Static<typeof PreferenceChange>

export const PreferencesPatch = Patch(
  {
    data: Type.Array(PreferenceChange, { maxItems: 200, description: 'Kinds that change; what is not named stays' }),
  },
  { title: 'NotificationPreferencesPatch' },
)
export type PreferencesPatch = Static<typeof PreferencesPatch>

/** Preferences as records show them. */
export const PreferencesRecord = Closed({
  kinds: Type.Unsafe<Record<string, unknown>>({ type: 'object', additionalProperties: true, recorded: 'whole' }),
  quiet_hours: QuietHours,
})
