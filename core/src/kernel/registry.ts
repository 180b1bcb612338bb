import type {
  Allowances,
  AnswerListener,
  Authenticator,
  GrantSource,
  StoreDirectory,
  ThrottleSource,
} from './access/slots.ts'
import type { FeatureSpec, LimitSpec, PermissionSpec } from './access/specs.ts'
import type { FileRule } from './attachments/define.ts'
import { problemsOfDeclared } from './config/declared.ts'
import type { EventDefinition, Listener } from './events/define.ts'
import { taskOfListener } from './events/emit.ts'
import type { PublishedEvent } from './events/published.ts'
import type { ExportRule } from './exports/define.ts'
import type { Dispatcher } from './feed/publish.ts'
import type { Job, Schedule } from './jobs/define.ts'
import { problemOfCron, RUN_OUTBOUND_TASK, RUN_TASK } from './jobs/schedules.ts'
import type { BrandSource, MailDefinition, MailSenders, PostOffice } from './mails/define.ts'
import type { Unsubscribers } from './mails/unsubscribe.ts'
import type { Messages } from './messages/catalogue.ts'
import type { Module, Route } from './module.ts'
import type { NotificationChannel } from './notices/channels.ts'
import type { NotificationDefinition, Notifier } from './notices/define.ts'
import { DEFAULT_RATE_LIMITS, type RatePolicy } from './rates/define.ts'
import { collectExports } from './registry-exports.ts'
import { collectFileRules } from './registry-files.ts'
import { collectHoldings, type RegisteredHolding } from './registry-holdings.ts'
import { problemsOfInbound } from './registry-inbound.ts'
import { problemsOfLimit } from './registry-limits.ts'
import { collectMails } from './registry-mails.ts'
import { collectMessages } from './registry-messages.ts'
import {
  collectChannels,
  collectNotifications,
  listenersOfNotifications,
  problemsOfTelling,
} from './registry-notifications.ts'
import { collectPublished } from './registry-published.ts'
import { problemsOfRateLimit, problemsOfRequestsPerMinute } from './registry-rates.ts'
import { checkRoutes } from './registry-routes.ts'
import { problemsOfSchema } from './registry-schemas.ts'
import {
  collectSettings,
  completeEvents,
  completeRoutes,
  type KeepersByLevel,
  type SettingsByLevel,
} from './registry-settings.ts'
import { collectSupport } from './registry-support.ts'
import type { SupportSection } from './support/define.ts'
import { withSections } from './support/sections.ts'

export interface RegisteredRoute extends Route {
  /** The module that brought it. */
  readonly module: string
  /** `/api/v1/stores/:id`: where it answers. */
  readonly url: string
}

export interface Permission extends PermissionSpec {
  code: string
  module: string
}

/** Everything that the modules of a core declare, ordered and checked. */
export interface Registry {
  readonly modules: readonly Module[]
  readonly routes: readonly RegisteredRoute[]
  readonly permissions: ReadonlyMap<string, Permission>
  readonly limits: ReadonlyMap<string, LimitSpec & { module: string }>
  readonly features: ReadonlyMap<string, FeatureSpec & { module: string }>
  /** The kernel's own and those of modules. */
  readonly rateLimits: ReadonlyMap<string, RatePolicy>
  readonly events: ReadonlyMap<string, EventDefinition>
  readonly schedules: readonly Schedule[]
  /** By kind. */
  readonly mails: ReadonlyMap<string, MailDefinition>
  /** By kind. */
  readonly notifications: ReadonlyMap<string, NotificationDefinition>
  /** Channels besides the list in the application and mail, by name. */
  readonly channels: ReadonlyMap<string, NotificationChannel>
  /** Rules for files, by entity type. */
  readonly files: ReadonlyMap<string, FileRule & { module: string }>
  /** What is exported of a tenant's tables, by table: the kernel's own and those of which a module says something. */
  readonly exported: ReadonlyMap<string, ExportRule>
  /** Sections of what operators are told about an address, by name. */
  readonly support: ReadonlyMap<string, SupportSection>
  /** What is held of tenants outside of their own tables: the kernel's first. */
  readonly holdings: readonly RegisteredHolding[]
  /** The texts that people read, in every language. */
  readonly messages: Messages
  readonly authenticators: readonly Authenticator[]
  readonly grantSources: readonly GrantSource[]
  readonly allowances: Allowances | undefined
  readonly throttles: ThrottleSource | undefined
  readonly answerListeners: readonly AnswerListener[]
  readonly storeDirectory: StoreDirectory | undefined
  /** By level and name. */
  readonly settings: SettingsByLevel
  readonly settingsKeepers: KeepersByLevel
  readonly postOffice: PostOffice | undefined
  readonly notifier: Notifier | undefined
  readonly brands: BrandSource | undefined
  readonly senders: MailSenders | undefined
  readonly unsubscribers: Unsubscribers | undefined
  /** Events as they go out, by the names that they go out under. */
  readonly published: ReadonlyMap<string, PublishedEvent>
  readonly dispatchers: readonly Dispatcher[]
  /** As what an event goes out; undefined: it stays inside. */
  publishedFrom(event: string): PublishedEvent | undefined
  findJob(name: string): Job | undefined
  /** Listeners of an event that run in jobs, including those of all events. */
  listenersOf(event: string): readonly Listener[]
  /** Listeners of an event that run in its own transaction. */
  innerListenersOf(event: string): readonly Listener[]
  /** The listener whose jobs wait under this task name. */
  findListener(task: string): Listener | undefined
}

/** All problems with the modules. */
export class RegistryError extends Error {
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(`The modules do not fit together:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`)
    this.name = 'RegistryError'
    this.problems = problems
  }
}

export const API_PREFIX = '/api/v1'

/** Collects modules in the order of `dependsOn`; refuses conflicts, missing references and cycles by name. */
export function createRegistry(given: readonly Module[]): Registry {
  const problems: string[] = []
  const modules = inOrder(given, problems)
  problems.push(...problemsOfDeclared(modules))
  for (const { name, migrations } of modules)
    if (migrations && !migrations.pathname.endsWith('/'))
      problems.push(`the migrations of module ${name} must end in /, as a folder: ${migrations}`)
  problems.push(...problemsOfInbound(modules))
  const unique = <T>(what: string, entries: [string, T, string][]) => byName(what, entries, problems)

  const permissions = unique(
    'permission',
    each(modules, (module) =>
      Object.entries(module.permissions).map(([code, spec]) => [code, { ...spec, code, module: module.name }]),
    ),
  )
  const limits = unique(
    'limit',
    each(modules, (module) =>
      Object.entries(module.limits).map(([name, spec]) => [name, { ...spec, module: module.name }]),
    ),
  )
  for (const [name, spec] of limits) problems.push(...problemsOfLimit(name, spec))
  const features = unique(
    'feature',
    each(modules, (module) =>
      Object.entries(module.features).map(([name, spec]) => [name, { ...spec, module: module.name }]),
    ),
  )
  const rateLimits = unique<RatePolicy>('rate limit', [
    ...Object.entries(DEFAULT_RATE_LIMITS).map(([name, spec]): [string, RatePolicy, string] => [
      name,
      { ...spec, name, module: 'kernel' },
      'kernel',
    ]),
    ...each(modules, (module) =>
      Object.entries(module.rateLimits).map(([name, spec]): [string, RatePolicy] => [
        name,
        { ...spec, name, module: module.name },
      ]),
    ),
  ])
  problems.push(...problemsOfRequestsPerMinute(limits))
  for (const policy of rateLimits.values()) problems.push(...problemsOfRateLimit(policy, limits))
  const { settings, settingsKeepers } = collectSettings(modules, permissions, problems)
  const declaredEvents = unique(
    'event',
    each(modules, (module) => module.events.map((event) => [event.name, event])),
  )
  const events = completeEvents(declaredEvents, settings)
  for (const { name, data } of events.values())
    problems.push(...new Set(problemsOfSchema(data).map((problem) => `event ${name} ${problem}`)))
  const published = collectPublished(modules, events, problems)
  const jobs = unique(
    'job',
    each(modules, (module) => module.jobs.map((job) => [job.name, job])),
  )
  const schedules = unique(
    'schedule',
    each(modules, (module) => module.schedules.map((schedule) => [schedule.name, schedule])),
  )
  for (const { name, cron } of schedules.values()) {
    if (name === RUN_TASK || name === RUN_OUTBOUND_TASK || name.startsWith('kernel.'))
      problems.push(`schedule ${name} has a name that the kernel keeps for itself`)
    const problem = problemOfCron(cron)
    if (problem) problems.push(`schedule ${name} has a time that cannot be read (${cron}): ${problem}`)
  }
  unique(
    'resource',
    each(modules, (module) => module.resources.map((resource) => [resource.name, resource])),
  )
  const notifier = onlyOne('notifier', modules, (module) => module.notifier, problems)
  const channels = collectChannels(modules, problems)
  const notifications = collectNotifications(modules, { permissions, features, events, channels }, problems)
  const listeners = unique('listener', [
    ...each(modules, (module) => module.listeners.map((listener) => [taskOfListener(listener), listener])),
    ...listenersOfNotifications(notifications.values(), notifier).map((listener): [string, Listener, string] => [
      taskOfListener(listener),
      listener,
      'notifications',
    ]),
  ])
  for (const { event, name } of listeners.values())
    if (event !== '*' && !events.has(event))
      problems.push(
        `listener ${name} follows the event ${event}, which no module declares: list it in \`events\` of its module`,
      )

  const files = collectFileRules(modules, permissions, problems)
  const exported = collectExports(modules, problems)
  const support = collectSupport(modules, problems)
  const holdings = collectHoldings(modules, problems)
  const messages = collectMessages(modules, problems)
  const mails = collectMails(modules, messages, problems)
  problems.push(...problemsOfTelling(modules, { messages, mails }))

  const declaredRoutes = modules.flatMap((module) =>
    module.routes.map((route) => ({
      ...route,
      module: module.name,
      url: route.root ? route.path : API_PREFIX + route.path,
      response: Object.fromEntries(
        Object.entries(route.response).map(([status, schema]) => [status, withSections(schema, support)]),
      ),
    })),
  )
  const routes = completeRoutes(declaredRoutes, settings, problems)
  checkRoutes(routes, { permissions, limits, features, rateLimits }, problems)
  const allowances = onlyOne('allowances', modules, (module) => module.allowances, problems)
  const throttles = onlyOne('throttles', modules, (module) => module.throttles, problems)
  const storeDirectory = onlyOne('stores', modules, (module) => module.stores, problems)
  const postOffice = onlyOne('postOffice', modules, (module) => module.postOffice, problems)
  const brands = onlyOne('brands', modules, (module) => module.brands, problems)
  const senders = onlyOne('senders', modules, (module) => module.senders, problems)
  const unsubscribers = onlyOne('unsubscribers', modules, (module) => module.unsubscribers, problems)
  if (problems.length > 0) throw new RegistryError(problems)

  const [inner, later] = [true, false].map((isInner) =>
    [...listeners.values()].filter((each) => each.isInner === isInner),
  )
  const following = followers(events, later!) // as the one below, of two lists
  const innerOf = followers(events, inner!)

  return {
    modules,
    routes,
    permissions,
    limits,
    features,
    rateLimits,
    events,
    schedules: [...schedules.values()],
    mails,
    notifications,
    channels,
    files,
    exported,
    support,
    holdings,
    messages,
    // Keys come last: one that was made elsewhere looks like anything that nobody else knows.
    authenticators: modules
      .flatMap((module) => module.authenticators)
      .sort((a, b) => Number(a.takesKeys ?? false) - Number(b.takesKeys ?? false)),
    grantSources: modules.flatMap((module) => module.grants),
    allowances,
    throttles,
    answerListeners: modules.flatMap(({ answered }) => answered ?? []),
    storeDirectory,
    settings,
    settingsKeepers,
    postOffice,
    notifier,
    brands,
    senders,
    unsubscribers,
    published: published.byName,
    dispatchers: modules.flatMap(({ dispatcher }) => dispatcher ?? []),
    publishedFrom: (event) => published.bySource.get(event),
    findJob: (name) => jobs.get(name),
    listenersOf: (event) => {
      const found = following.get(event)
      if (!found) throw new Error(`The event ${event} belongs to no module of this core`)
      return found
    },
    innerListenersOf: (event) => innerOf.get(event) ?? [],
    findListener: (task) => listeners.get(task),
  }
}

/** The listeners of each event: first those of every event. */
function followers(events: ReadonlyMap<string, unknown>, listeners: readonly Listener[]): Map<string, Listener[]> {
  const of = (name: string) => listeners.filter(({ event }) => event === name)
  return new Map([...events.keys()].map((name) => [name, [...of('*'), ...of(name)]]))
}

/** Depth first along `dependsOn`, so that each module comes after those that it needs. */
function inOrder(given: readonly Module[], problems: string[]): Module[] {
  const names = new Map<string, Module>()
  for (const module of given) {
    if (names.has(module.name)) problems.push(`two modules are named ${module.name}`)
    names.set(module.name, module)
  }
  const ordered: Module[] = []
  const state = new Map<string, 'open' | 'done'>()
  const visit = (module: Module, path: string[]) => {
    if (state.get(module.name) === 'done') return
    if (state.get(module.name) === 'open') {
      problems.push(`modules depend on each other in a circle: ${[...path, module.name].join(' → ')}`)
      return
    }
    state.set(module.name, 'open')
    for (const needed of module.dependsOn) {
      const present = names.get(needed.name)
      if (present) visit(present, [...path, module.name])
      else problems.push(`module ${module.name} depends on ${needed.name}, which is not among the modules`)
    }
    state.set(module.name, 'done')
    ordered.push(module)
  }
  for (const module of given) visit(module, [])
  return ordered
}

function each<T>(modules: Module[], list: (module: Module) => [string, T][]): [string, T, string][] {
  return modules.flatMap((module) =>
    list(module).map(([name, value]): [string, T, string] => [name, value, module.name]),
  )
}

function byName<T>(what: string, entries: [string, T, string][], problems: string[]): Map<string, T> {
  const found = new Map<string, T>()
  const owners = new Map<string, string>()
  for (const [name, value, module] of entries) {
    if (found.has(name)) problems.push(`two ${what}s are named ${name}: in ${owners.get(name)} and ${module}`)
    found.set(name, value)
    owners.set(name, module)
  }
  return found
}

function onlyOne<T>(
  slot: string,
  modules: Module[],
  read: (module: Module) => T | undefined,
  problems: string[],
): T | undefined {
  const filled = modules.filter((module) => read(module) !== undefined)
  if (filled.length > 1)
    problems.push(`the slot ${slot} is filled twice: by ${filled.map(({ name }) => name).join(' and ')}`)
  return filled[0] && read(filled[0])
}
