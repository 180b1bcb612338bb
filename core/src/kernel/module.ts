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
import type { Configuration } from './config/declared.ts'
import type { Ctx } from './context.ts'
import type { Core } from './core.ts'
import type { EventDefinition, Listener } from './events/define.ts'
import type { ExportRules } from './exports/define.ts'
import type { Dispatcher } from './feed/publish.ts'
import type { InboundSource } from './inbound/source.ts'
import type { Job, Schedule } from './jobs/define.ts'
import type { BrandSource, MailDefinition, MailSenders, PostOffice } from './mails/define.ts'
import type { Unsubscribers } from './mails/unsubscribe.ts'
import type { NotificationChannel } from './notices/channels.ts'
import type { NotificationDefinition, Notifier } from './notices/define.ts'
import type { RateLimitSpec } from './rates/define.ts'
import type { Holding } from './removal/define.ts'
import type { Route } from './route.ts'
import type { Setting, SettingLevel, SettingsKeeper } from './settings/define.ts'
import type { Founder, FutureMoment, HealthCheck, Resource, SealedKind } from './specs.ts'
import type { StoredKind } from './storage/moving.ts'
import type { SupportSection } from './support/define.ts'

export * from './route.ts'
export * from './specs.ts'

/** Everything that a feature adds to a core. Built-in features and those of an application are values of this type. */
export interface Module {
  readonly name: string
  /** A sentence about the feature, shown above its operations in the API document. */
  readonly description: string | undefined
  readonly dependsOn: readonly Module[]
  readonly migrations: URL | undefined
  /** What the environment has to tell it; read with `ctx.config.of`. */
  // biome-ignore lint/suspicious/noExplicitAny: as the handles below
  readonly configuration: Configuration<any> | undefined
  readonly permissions: Readonly<Record<string, PermissionSpec>>
  readonly limits: Readonly<Record<string, LimitSpec>>
  readonly features: Readonly<Record<string, FeatureSpec>>
  /** By the names that its routes count under and that `RateLimit` headers show. */
  readonly rateLimits: Readonly<Record<string, RateLimitSpec>>
  readonly events: readonly EventDefinition[]
  readonly routes: readonly Route[]
  readonly jobs: readonly Job[]
  readonly schedules: readonly Schedule[]
  readonly listeners: readonly Listener[]
  /** Called with the events that a transaction publishes, at its end: hands them to those who are to get them. */
  readonly dispatcher: Dispatcher | undefined
  /** Doors for webhooks of others' servers. Their routes and jobs stand among `routes` and `jobs`. */
  readonly inbound: readonly InboundSource[]
  /** Mails that the module sends; their texts are messages. */
  // biome-ignore lint/suspicious/noExplicitAny: a list of handles of different types; each is used through its own handle
  readonly mails: readonly MailDefinition<any>[]
  // biome-ignore lint/suspicious/noExplicitAny: as the handles above
  readonly notifications: readonly NotificationDefinition<any>[]
  /** Ways to tell people besides the list in the application and mail. */
  readonly channels: readonly NotificationChannel[]
  /** Whose things have files. */
  readonly files: readonly FileRule[]
  /** What the module keeps in the file storage: `tenantry files move` moves it to another one. */
  readonly stored: readonly StoredKind[]
  /**
   * What an export of a tenant has of the module's tables; what is not named is exported whole. Name columns that hold secrets,
   * sealed or hashed, and tables that mean nothing elsewhere.
   */
  readonly exported: ExportRules
  /** What it has to say about an address that operators ask about (`GET /admin/support`), and what it finds wrong. */
  readonly support: readonly SupportSection[]
  /** What the module holds of tenants in tables that belong to none, which goes when a tenant is removed for good. */
  readonly holdings: readonly Holding[]
  /**
   * A folder with a file for each language (`en.json`, `de-CH.json`), in which texts of ICU MessageFormat stand under their
   * codes; English has all. A later module's texts replace those of an earlier one and add languages to them.
   */
  readonly messages: URL | undefined
  // biome-ignore lint/suspicious/noExplicitAny: a list of handles of different types; each is used through its own handle
  readonly resources: readonly Resource<any>[]
  // biome-ignore lint/suspicious/noExplicitAny: as the handles above
  readonly settings: readonly Setting<any>[]
  readonly checks: readonly HealthCheck[]
  readonly sealed: readonly SealedKind[]
  /** Checked each minute across all tenants: a table that grows without limit needs an index on the column. */
  readonly moments: readonly FutureMoment[]
  readonly authenticators: readonly Authenticator[]
  readonly grants: readonly GrantSource[]
  readonly allowances: Allowances | undefined
  readonly throttles: ThrottleSource | undefined
  readonly answered: AnswerListener | undefined
  readonly stores: StoreDirectory | undefined
  /** Where the settings of a level are. */
  readonly settingsOf: Readonly<Partial<Record<SettingLevel, SettingsKeeper>>>
  readonly postOffice: PostOffice | undefined
  readonly notifier: Notifier | undefined
  readonly brands: BrandSource | undefined
  readonly senders: MailSenders | undefined
  readonly unsubscribers: Unsubscribers | undefined
  /** Called before the core serves; throws an Error with advice when it must not. */
  readonly mayServe: ((core: Core) => Promise<void>) | undefined
  /**
   * Problems with declarations of any module that only this one can detect: roles know the roles, subscriptions the
   * plans. One sentence each, naming the declaration and its module; any problem prevents the start.
   */
  readonly declarationProblems: ((core: Core) => readonly string[] | Promise<readonly string[]>) | undefined
  /** Lines for the screen that a start prints, name and text: a secret shown once, an address worth knowing. */
  readonly welcome: ((core: Core) => Promise<[string, string][]>) | undefined
  /** Adds what a new tenant needs of this module, in the transaction that creates it, in the order of the modules. */
  readonly founding: ((ctx: Ctx, founder: Founder) => Promise<void>) | undefined
  /**
   * What tests are told of the module, a `Cases` of `tenantry/testing`: how its routes are made to succeed, and rows of
   * tables that no route fills. Written as `() => import('./articles.cases.ts')`: whatever serves or works never loads it.
   */
  readonly cases: (() => Promise<{ default: object }>) | undefined
}

export type ModuleSpec = { name: string } & Partial<
  Omit<Module, 'name' | 'permissions'> & { permissions: Record<string, string | PermissionSpec> }
>

/** Declares a module; everything but its name is optional. */
export function defineModule(spec: ModuleSpec): Module {
  const { inbound = [] } = spec
  const permissions = Object.entries(spec.permissions ?? {}).map(([code, value]) => [
    code,
    typeof value === 'string' ? { description: value } : value,
  ])
  return Object.freeze({
    description: undefined,
    dependsOn: [],
    migrations: undefined,
    configuration: undefined,
    limits: {},
    features: {},
    rateLimits: {},
    events: [],
    schedules: [],
    listeners: [],
    dispatcher: undefined,
    inbound: [],
    mails: [],
    notifications: [],
    channels: [],
    files: [],
    stored: [],
    exported: {},
    support: [],
    holdings: [],
    messages: undefined,
    resources: [],
    settings: [],
    checks: [],
    sealed: [],
    moments: [],
    authenticators: [],
    grants: [],
    allowances: undefined,
    throttles: undefined,
    answered: undefined,
    stores: undefined,
    settingsOf: {},
    postOffice: undefined,
    notifier: undefined,
    brands: undefined,
    senders: undefined,
    unsubscribers: undefined,
    founding: undefined,
    mayServe: undefined,
    welcome: undefined,
    declarationProblems: undefined,
    cases: undefined,
    ...spec,
    routes: [...(spec.routes ?? []), ...inbound.map(({ route }) => route)],
    jobs: [...(spec.jobs ?? []), ...inbound.map(({ job }) => job)],
    permissions: Object.fromEntries(permissions) as Record<string, PermissionSpec>, // built from the entries just above
  })
}
