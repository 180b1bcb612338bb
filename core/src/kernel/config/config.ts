import { resolve } from 'node:path'
import {
  type Configuration,
  type ConfigurationEntries,
  type ConfigurationValues,
  type ConfiguredModule,
  type DeclaredReading,
  declaredNames,
  problemsOfDeclared,
  readDeclared,
} from './declared.ts'
import { type Env, readEnv } from './env.ts'
import type { MailAddress } from './kinds.ts'
import type { Pages } from './pages.ts'
import { checkRules } from './rules.ts'
import { findMisspelt, findUnbuilt } from './unbuilt.ts'

export type { MailAddress } from './kinds.ts'

/** All settings of a process: nested, complete, checked and frozen. Times of life are in seconds, sizes in bytes. */
export interface Config {
  readonly env: 'development' | 'test' | 'production'
  readonly http: {
    readonly host: string
    readonly port: number
    /** Where people reach the application; without a trailing slash. */
    readonly publicUrl: string
    /** CIDRs whose X-Forwarded-For is believed. */
    readonly trustedProxies: readonly string[]
    /** Other origins whose pages may call the API, each as browsers name it. */
    readonly corsOrigins: readonly string[]
    /** Whether `/metrics` stands on the port of the API too. */
    readonly metricsPublic: boolean
    /** Whether `/api/docs` and `/api/openapi.*` stand on the port of the API. */
    readonly apiDocsPublic: boolean
    /** The port for probes and metrics alone; null: none. */
    readonly probePort: number | null
    /** How long requests are still answered after the process was told to stop. */
    readonly shutdownDelaySeconds: number
  }
  readonly log: { readonly level: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent' }
  /** Absolute path. */
  readonly dataDir: string
  readonly database: DatabaseConfig
  /** Null until `ensureAppSecret` has made or found one. */
  readonly appSecret: string | null
  /** Earlier secrets, the newest first: they open, they do not seal. */
  readonly appSecretPrevious: readonly string[]
  readonly bootstrapToken: string | null
  readonly mail: {
    /** Nothing is written or sent. */
    readonly off: boolean
    /** Null: mails go to the mailbox in `dataDir`. */
    readonly smtpUrl: string | null
    /** Null: the product's name, at no address that answers. */
    readonly from: MailAddress | null
    /** For how many days the log of mails is kept. */
    readonly logDays: number
    /** Where mails come back to; null: to `from`. */
    readonly bounceDomain: string | null
    /** Signs reports of bounces; null: none are taken. */
    readonly reportSecret: string | null
  }
  /** Where the pages that mails link to are, by the path of the built-in one; see `linkTo`. */
  readonly pages: Pages
  /** CIDRs that outbound requests may reach although private. */
  readonly outboundAllow: readonly string[]
  /** Where all processes count requests together; null: each counts in its memory. */
  readonly redisUrl: string | null
  /** Multiplies every rate limit, and how many failures lead to a lockout; 0 switches both off. */
  readonly rateLimitFactor: number
  /** How many tenants of one person begin with a trial. */
  readonly trialsPerPerson: number
  /** How many tenants one person may found. */
  readonly tenantsPerPerson: number
  /** `closed`: accounts by invitation only, tenants by super admins only. */
  readonly registration: 'open' | 'closed'
  readonly passwords: { readonly minLength: number }
  readonly tokens: {
    readonly accessTtlSeconds: number
    readonly refreshTtlSeconds: number
    readonly invitationTtlSeconds: number
  }
  readonly files: {
    /** Where new files go. */
    readonly backend: 'local' | 's3'
    /** Null: there is no bucket. It may be there although new files go elsewhere, for those that are in it. */
    readonly s3: S3Config | null
  }
  readonly notices: {
    /** How long notifications are kept. */
    readonly retentionDays: number
  }
  readonly audit: {
    /** Whether what retention removes is written to the file storage first. */
    readonly archive: boolean
    /** No tenant keeps its audit log for less. */
    readonly minRetentionDays: number
  }
  readonly worker: { readonly concurrency: number }
  /** Where clamd listens; null: uploads are not scanned. */
  readonly clamavUrl: string | null
  /** What a module of this installation declares (`defineConfiguration`), by their names. */
  of<E extends ConfigurationEntries>(configuration: Configuration<E>): ConfigurationValues<E>
}

/** A bucket of files. */
export interface S3Config {
  readonly bucket: string
  /** Null: AWS. */
  readonly endpoint: string | null
  readonly region: string
  /** Null, and the secret with it: the SDK looks for credentials by itself. */
  readonly accessKeyId: string | null
  readonly secretAccessKey: string | null
  readonly checksums: 'when_required' | 'when_supported'
}

/** All null: the embedded PostgreSQL is to be used. `appUrl` and `systemUrl` are set together. */
export interface DatabaseConfig {
  readonly appUrl: string | null
  readonly systemUrl: string | null
  readonly ownerUrl: string | null
  /** The direct connection for LISTEN; falls back to `appUrl`. */
  readonly listenUrl: string | null
  /** Most connections of one process. */
  readonly poolSize: number
}

/** The settings are invalid; `problems` has a sentence for each problem, without any value. */
export class ConfigError extends Error {
  override name = 'ConfigError'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(`The configuration has ${problems.length} problem(s):\n${problems.map((line) => `  - ${line}`).join('\n')}`)
    this.problems = problems
  }
}

/**
 * Reads the settings (from the environment of the process unless given) into a checked configuration. With the modules
 * of the core that it is for, theirs too.
 * @throws ConfigError naming every problem at once
 */
export function loadConfig(
  source?: Record<string, string | undefined>,
  modules: readonly ConfiguredModule[] = [],
): Config {
  const wrong = problemsOfDeclared(modules)
  if (wrong.length > 0) throw new ConfigError(wrong)
  const { env, given, problems, source: names } = readEnv(source)
  const declared = readDeclared(names, modules, env.NODE_ENV)
  const found = [
    ...problems,
    ...declared.problems,
    ...findMisspelt(names, declaredNames(modules)),
    ...findUnbuilt(names),
    ...checkRules(env, given),
  ]
  if (found.length > 0) throw new ConfigError(found)
  return freeze({ ...nest(env), of: valuesOf(declared) })
}

/** A function, so that serialising the configuration never includes these values. */
function valuesOf({ values }: DeclaredReading): Config['of'] {
  if (values.size === 0) return refuseUnread
  for (const own of values.values()) freeze(own)
  return <E extends ConfigurationEntries>(configuration: Configuration<E>) => {
    const own = values.get(configuration) as ConfigurationValues<E> | undefined // read by these very entries
    return own ?? refuseUnread(configuration)
  }
}

function refuseUnread<E extends ConfigurationEntries>({ entries }: Configuration<E>): ConfigurationValues<E> {
  const names = Object.keys(entries).join(', ')
  throw new Error(`Nobody has read ${names}: give loadConfig the modules of the core, loadConfig(source, modules)`)
}

function nest(env: Env): Omit<Config, 'of'> {
  return {
    env: env.NODE_ENV,
    http: {
      host: env.HOST,
      port: env.PORT,
      publicUrl: env.PUBLIC_URL ?? `http://localhost:${env.PORT}`,
      trustedProxies: env.TRUSTED_PROXIES,
      corsOrigins: env.CORS_ORIGINS,
      metricsPublic: env.METRICS_PUBLIC ?? env.NODE_ENV !== 'production',
      apiDocsPublic: env.API_DOCS_PUBLIC ?? env.NODE_ENV !== 'production',
      probePort: env.WORKER_PORT,
      shutdownDelaySeconds: env.SHUTDOWN_DELAY ?? (env.NODE_ENV === 'production' ? 5 : 0),
    },
    log: { level: env.LOG_LEVEL },
    dataDir: resolve(env.DATA_DIR),
    database: {
      appUrl: env.DATABASE_URL,
      systemUrl: env.DATABASE_SYSTEM_URL,
      ownerUrl: env.DATABASE_OWNER_URL,
      listenUrl: env.DATABASE_LISTEN_URL ?? env.DATABASE_URL,
      poolSize: env.DATABASE_POOL_SIZE,
    },
    appSecret: env.APP_SECRET,
    appSecretPrevious: env.APP_SECRET_PREVIOUS,
    bootstrapToken: env.BOOTSTRAP_TOKEN,
    mail: {
      off: env.MAIL === 'off',
      smtpUrl: env.SMTP_URL,
      from: env.MAIL_FROM,
      logDays: env.MAIL_LOG_DAYS,
      bounceDomain: env.MAIL_BOUNCE_DOMAIN,
      reportSecret: env.MAIL_REPORT_SECRET,
    },
    pages: {
      '/verify-email': env.PAGE_VERIFY_EMAIL,
      '/reset-password': env.PAGE_RESET_PASSWORD,
      '/accept-invite': env.PAGE_ACCEPT_INVITE,
      '/forgot-password': env.PAGE_FORGOT_PASSWORD,
      '/sign-in': env.PAGE_SIGN_IN,
      '/unsubscribe': env.PAGE_UNSUBSCRIBE,
    },
    outboundAllow: env.OUTBOUND_ALLOW,
    redisUrl: env.REDIS_URL,
    rateLimitFactor: env.RATE_LIMIT_FACTOR,
    trialsPerPerson: env.TRIALS_PER_PERSON,
    tenantsPerPerson: env.TENANTS_PER_PERSON,
    registration: env.REGISTRATION,
    passwords: { minLength: env.PASSWORD_MIN_LENGTH },
    tokens: {
      accessTtlSeconds: env.ACCESS_TOKEN_TTL,
      refreshTtlSeconds: env.REFRESH_TOKEN_TTL,
      invitationTtlSeconds: env.INVITATION_TTL,
    },
    files: { backend: env.FILE_STORAGE_BACKEND, s3: bucketOf(env) },
    audit: { archive: env.AUDIT_ARCHIVE, minRetentionDays: env.AUDIT_RETENTION_MIN_DAYS },
    notices: { retentionDays: env.NOTIFICATION_RETENTION_DAYS },
    worker: { concurrency: env.WORKER_CONCURRENCY },
    clamavUrl: env.CLAMAV_URL,
  }
}

/** What most providers call the region of a bucket that has none. */
const USUAL_REGION = 'us-east-1'

function bucketOf(env: Env): S3Config | null {
  if (env.S3_BUCKET === null) return null
  return {
    bucket: env.S3_BUCKET,
    endpoint: env.S3_ENDPOINT,
    region: env.S3_REGION ?? USUAL_REGION,
    accessKeyId: env.S3_ACCESS_KEY_ID,
    secretAccessKey: env.S3_SECRET_ACCESS_KEY,
    checksums: env.S3_CHECKSUMS,
  }
}

/** Freezes an object and all that it holds. */
export function freeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) if (typeof part === 'object' && part !== null) freeze(part)
  return Object.freeze(value)
}
