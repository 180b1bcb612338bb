import type { FeatureSpec } from './access/specs.ts'
import type { EventDefinition, Listener } from './events/define.ts'
import { FIRST_LANGUAGE, type Messages } from './messages/catalogue.ts'
import { argumentsOf, parseMessage } from './messages/parse.ts'
import type { Module } from './module.ts'
import type { NotificationChannel } from './notices/channels.ts'
import { EMAIL, IN_APP, MOST_ACTIONS, type NotificationDefinition, type Notifier } from './notices/define.ts'
import { problemsOfSchema } from './registry-schemas.ts'

/** What a kind may speak of. */
interface Known {
  permissions: ReadonlyMap<string, unknown>
  features: ReadonlyMap<string, FeatureSpec>
  events: ReadonlyMap<string, EventDefinition>
  channels: ReadonlyMap<string, NotificationChannel>
}

const BUILT_IN = [IN_APP, EMAIL]

/** The channels that modules bring, by name. */
export function collectChannels(modules: readonly Module[], problems: string[]): Map<string, NotificationChannel> {
  const channels = new Map<string, NotificationChannel>()
  for (const { name: module, channels: brought } of modules)
    for (const channel of brought) {
      if (channels.has(channel.name) || BUILT_IN.includes(channel.name))
        problems.push(`channel ${channel.name} (${module}) is there already`)
      if (!/^[a-z][a-z0-9_]*$/.test(channel.name))
        problems.push(`channel ${channel.name} (${module}) has a name that is not like sms`)
      channels.set(channel.name, channel)
    }
  return channels
}

/** Every kind of notification, by name. */
export function collectNotifications(
  modules: readonly Module[],
  known: Known,
  problems: string[],
): Map<string, NotificationDefinition> {
  const kinds = new Map<string, NotificationDefinition>()
  const owners = new Map<string, string>()
  for (const { name: module, notifications } of modules)
    for (const declared of notifications) {
      const each = declared as unknown as NotificationDefinition // each is told by its own handle, with its own data
      const other = owners.get(each.kind)
      if (other) problems.push(`two notifications are named ${each.kind}: in ${other} and ${module}`)
      problems.push(...problemsOf(each, known).map((problem) => `notification ${each.kind} (${module}) ${problem}`))
      kinds.set(each.kind, each)
      owners.set(each.kind, module)
    }
  return kinds
}

function problemsOf(kind: NotificationDefinition, { permissions, features, events, channels }: Known): string[] {
  const problems = [...new Set(problemsOfSchema(kind.data))]
  if (!/^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$/.test(kind.kind))
    problems.push('has a name that is not like user.invited')
  const { audience, feature, actions } = kind
  if (typeof audience === 'object' && !permissions.has(audience.permission))
    problems.push(`is for those who hold ${audience.permission}, which no module declares`)
  if (feature !== undefined && !features.has(feature))
    problems.push(`needs the feature ${feature}, which no module declares`)
  for (const { event } of kind.on)
    if (!events.has(event.name)) problems.push(`follows the event ${event.name}, which no module declares`)
  for (const channel of kind.channels)
    if (!BUILT_IN.includes(channel) && !channels.has(channel))
      problems.push(`goes out by ${channel}, which no module brings`)
  if (actions.length > MOST_ACTIONS) problems.push(`has more than ${MOST_ACTIONS} actions`)
  if (new Set(actions.map(({ name }) => name)).size < actions.length) problems.push('has two actions of one name')
  if (actions.some(({ route, link }) => (route === undefined) === (link === undefined)))
    problems.push('has an action that has not either a route or a link')
  if ('actions' in kind.data.properties) problems.push('has a field actions in its data, where its actions are shown')
  if (kind.personal && audience !== 'person') problems.push('is personal, but not for those that it names')
  return problems
}

/**
 * What a kind lacks to be told: a text of its own that nobody wrote, or that uses what its data does not have; a mail that
 * nobody lists. Nobody could read it otherwise, in their list or in their preferences.
 */
export function problemsOfTelling(
  modules: readonly Module[],
  { messages, mails }: { messages: Messages; mails: ReadonlyMap<string, unknown> },
): string[] {
  const areTold = modules.some(({ notifier }) => notifier !== undefined)
  return modules.flatMap(({ name: module, notifications }) =>
    notifications.flatMap((declared) => {
      const kind = declared as unknown as NotificationDefinition // as above
      const problems = areTold ? problemsOfTexts(kind, messages) : []
      const mail = kind.mail?.mail.kind
      if (mail !== undefined && !mails.has(mail)) problems.push(`is mailed by ${mail}, which no module lists`)
      return problems.map((problem) => `notification ${kind.kind} (${module}) ${problem}`)
    }),
  )
}

function problemsOfTexts({ kind, data, actions }: NotificationDefinition, messages: Messages): string[] {
  // Lists and objects are shown by no text.
  const isShown = (schema: object) => !['array', 'object'].includes(String(Reflect.get(schema, 'type')))
  const fields = Object.keys(data.properties).filter((name) => isShown(data.properties[name] ?? {}))
  const labels = actions.map(({ name }) => `actions.${name}`)
  return ['name', 'title', 'message', ...labels].flatMap((part) => {
    const code = `notification.${kind}.${part}`
    const text = messages.find(code, FIRST_LANGUAGE)?.text
    if (text === undefined) return [`has no message ${code}: write it into ${FIRST_LANGUAGE}.json of its module`]
    const told = part === 'name' ? [] : fields
    return usedBy(text)
      .filter((used) => !told.includes(used))
      .map((used) => `has no {${used}} in its data, which ${code} uses`)
  })
}

/** None of a text that does not parse, of which its file is told. */
function usedBy(text: string): string[] {
  try {
    return [...argumentsOf(parseMessage(text)).uses.keys()]
  } catch {
    return []
  }
}

/** The listeners by which kinds follow their events; none where nobody tells people. */
export function listenersOfNotifications(
  kinds: Iterable<NotificationDefinition>,
  notifier: Notifier | undefined,
): Listener[] {
  if (!notifier) return []
  return [...kinds].flatMap((kind) =>
    kind.on.map(({ event, tell }) => ({
      event: event.name,
      name: `notify.${kind.kind}`,
      isInner: false,
      handle: async (ctx, record) => {
        const told = tell(record, ctx)
        if (told) await notifier.hear(ctx, kind, record, told)
      },
    })),
  )
}
