import { fileSettings } from './file-settings.ts'
import {
  baseUrl,
  cidrs,
  clamdUrl,
  decimal,
  duration,
  flag,
  host,
  InvalidSetting,
  integer,
  type Kind,
  mailAddress,
  mailSwitch,
  oneOf,
  origins,
  pageAddress,
  redisUrl,
  secret,
  secrets,
  signingSecret,
  text,
  url,
} from './kinds.ts'
import { type Setting, setting } from './setting.ts'

export type { Setting, SettingGroup } from './setting.ts'

const POSTGRES = url('postgres', 'postgresql')

const page = (path: string, opens: string) =>
  setting(
    'Pages',
    pageAddress(),
    { default: path },
    `Where ${opens}: a path under \`PUBLIC_URL\`, or a URL. The token is appended as \`token=\`, or put in the place of \`{token}\`. Default: the built-in page.`,
  )

/** Every setting by its name. */
export const settings = {
  NODE_ENV: setting(
    'Server',
    oneOf('development', 'test', 'production'),
    { default: 'development' },
    'What the process is for. `production` refuses what is not fit for it: weak secrets, a missing or insecure `PUBLIC_URL`, mails that nobody gets, no lockout, networks that are the whole internet. It writes its messages as lines of the log. `development` and `test` have a mailbox page for programs of the same machine; `test` relaxes nothing.',
  ),
  HOST: setting(
    'Server',
    host(),
    { default: '127.0.0.1' },
    'Address to listen on. `0.0.0.0` (or `::`) listens on every interface, which a container needs.',
  ),
  PORT: setting('Server', integer(0, 65_535), { default: '3000' }, 'Port to listen on. `0` takes any free port.'),
  PUBLIC_URL: setting(
    'Server',
    baseUrl(),
    { default: null, example: 'https://app.example.com' },
    'Address under which people reach the application; links in mails begin with it. Default: `http://localhost:<PORT>`. Required in production, where it must be `https` unless its host is loopback.',
  ),
  TRUSTED_PROXIES: setting(
    'Server',
    cidrs(),
    { default: '', example: '10.0.0.0/8' },
    'Networks of the proxies whose `X-Forwarded-For` is believed, from the right, with or without ports and brackets. Unset: the address of the socket is the client. Too wide a list lets clients choose the address they are limited by: one that covers a good part of the internet is refused in production.',
  ),
  CORS_ORIGINS: setting(
    'Server',
    origins(),
    { default: '', example: 'https://app.example.com' },
    'Origins of the front ends whose pages may call the API from a browser, each exactly as the browser names it: scheme, host and, where it is not the usual one, port. Pages under `PUBLIC_URL` need not be named. Unset: no page of another origin may. In production they are `https` unless their host is loopback.',
  ),
  METRICS_PUBLIC: setting(
    'Server',
    flag(),
    { default: null, example: 'false' },
    'Whether `/metrics` answers on `PORT`, to anybody. It always does on `WORKER_PORT`. Default: `false` in production, `true` elsewhere.',
  ),
  API_DOCS_PUBLIC: setting(
    'Server',
    flag(),
    { default: null, example: 'false' },
    'Whether the API document and its page (`/api/docs`, `/api/openapi.json`, `/api/openapi.yaml`) answer on `PORT`. Default: `false` in production, `true` elsewhere.',
  ),
  OUTBOUND_ALLOW: setting(
    'Server',
    cidrs(),
    { default: '', example: '192.168.10.0/24' },
    'Private networks that outbound requests to addresses given by users (where the audit log is streamed to, webhooks) may reach all the same. Unset: none. One that covers a good part of the internet is refused in production.',
  ),
  SHUTDOWN_DELAY: setting(
    'Server',
    duration('0s', '10m'),
    { default: null, example: '5s' },
    'How long a process that was told to stop goes on answering while `/health/ready` says 503, so that a balancer sends nothing more before connections are closed. Give the balancer’s probe two or three turns. Default: `5s` in production, else `0s`.',
  ),
  LOG_LEVEL: setting(
    'Operation',
    oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'),
    { default: 'info' },
    'The least important messages that are still written.',
  ),
  DATA_DIR: setting(
    'Server',
    text('path'),
    { default: '.data' },
    'Folder of the embedded PostgreSQL, local files and the development mailbox; relative to the working directory.',
  ),
  DATABASE_URL: setting(
    'Database',
    POSTGRES,
    { default: null, secret: true, example: 'postgres://tenantry_app:password@db.example.com:5432/tenantry' },
    'The application role, which row-level security binds; it must own nothing. Unset: an embedded PostgreSQL runs in `DATA_DIR`. Needs `DATABASE_SYSTEM_URL`.',
  ),
  DATABASE_SYSTEM_URL: setting(
    'Database',
    POSTGRES,
    { default: null, secret: true, example: 'postgres://tenantry_system:password@db.example.com:5432/tenantry' },
    'The system role, for work across tenants: administration, sweeping jobs. Needs `DATABASE_URL`.',
  ),
  DATABASE_OWNER_URL: setting(
    'Database',
    POSTGRES,
    { default: null, secret: true, example: 'postgres://tenantry_owner:password@db.example.com:5432/tenantry' },
    'The role that owns the schema; only `tenantry migrate` needs it. Needs `DATABASE_URL`.',
  ),
  DATABASE_LISTEN_URL: setting(
    'Database',
    POSTGRES,
    { default: null, secret: true, example: 'postgres://tenantry_app:password@db.example.com:5432/tenantry' },
    'A direct connection for `LISTEN`, needed when `DATABASE_URL` leads through a transaction pooler, which cannot carry notifications. Default: `DATABASE_URL`.',
  ),
  DATABASE_POOL_SIZE: setting(
    'Database',
    integer(1, 1000),
    { default: '10' },
    'Most connections that one process keeps for the application role. All processes together must stay below the server’s `max_connections`.',
  ),
  REDIS_URL: setting(
    'Limits',
    redisUrl(),
    { default: null, secret: true, example: 'redis://:password@redis.example.com:6379/0' },
    'Redis or Valkey, in which all processes count requests together for the rate limits; `rediss` is encrypted. Unset: each process counts for itself, so that several let through as many times more. While it does not answer, memory stands in and no request fails.',
  ),
  RATE_LIMIT_FACTOR: setting(
    'Limits',
    decimal(0, 1000),
    { default: '1' },
    'Multiplies every rate limit, and how many failed sign-ins lead to a lockout. `0` switches both off, and how few mails of a kind an address gets: for tests and benchmarks only. Production refuses `0` and more than 10.',
  ),
  TRIALS_PER_PERSON: setting(
    'Limits',
    integer(0, 1000),
    { default: '1' },
    'How many of the tenants that one person founds begin with a trial. Further ones begin on the plan `free`; a tenant that is deleted gives no trial back.',
  ),
  APP_SECRET: setting(
    'Secrets',
    secret(),
    { default: null, secret: true },
    'Root of the keys that encrypt secrets at rest and sign links. Losing it makes those secrets unreadable. In production it is required: at least 32 characters of randomness, such as the output of `openssl rand -base64 48`. Elsewhere, when unset, one is made on first start and kept in `DATA_DIR/app_secret`.',
  ),
  APP_SECRET_PREVIOUS: setting(
    'Secrets',
    secrets(),
    { default: '', secret: true },
    'Earlier values of `APP_SECRET`, the newest first: what they sealed can still be opened, nothing new is sealed with them. Needs `APP_SECRET`.',
  ),
  BOOTSTRAP_TOKEN: setting(
    'Secrets',
    secret(),
    { default: null, secret: true },
    'Allows the first super admin to be made, once. Unset: one is made and printed at the first start. In production, where what is printed ends in a log, none is made: nothing is served without it until the first super admin exists. There at least 16 characters.',
  ),
  SMTP_URL: setting(
    'Mail',
    url('smtp', 'smtps'),
    { default: null, secret: true, example: 'smtps://user:password@smtp.example.com:465' },
    'Mail server. Unset: mails go to a mailbox on disk, `DATA_DIR/mailbox`; in production it is required unless `MAIL=off`. Needs `MAIL_FROM`.',
  ),
  MAIL: setting(
    'Mail',
    mailSwitch(),
    { default: 'on' },
    '`off`: no mail is written or sent, also none that waits already. What is of no use without one (an invitation, a forgotten password) answers 503 and says so; notices are left out. A path, as shells set it to, counts as unset.',
  ),
  MAIL_FROM: setting(
    'Mail',
    mailAddress(),
    { default: null, example: 'Example <no-reply@example.com>' },
    'Sender of all mails. Default without `SMTP_URL`: the name of the product, `no-reply@localhost`.',
  ),
  MAIL_LOG_DAYS: setting(
    'Mail',
    integer(1, 3650),
    { default: '90' },
    'For how many days the log of mails (`GET /mails`) is kept.',
  ),
  MAIL_BOUNCE_DOMAIN: setting(
    'Mail',
    host(),
    { default: null, example: 'bounces.example.com' },
    'A domain whose mails come to `POST /mails/reports/returned`: each mail is sent from an address there that names it, so that whatever comes back is known by it. Unset: it comes back to `MAIL_FROM`.',
  ),
  MAIL_REPORT_SECRET: setting(
    'Mail',
    signingSecret(),
    { default: null, secret: true },
    'Signs what is sent to `POST /mails/reports`, which takes bounces and complaints. Unset: none are taken.',
  ),
  PAGE_VERIFY_EMAIL: page('/verify-email', 'the link of the mail leads that asks for proof of an e-mail address'),
  PAGE_RESET_PASSWORD: page('/reset-password', 'the link of the mail leads by which a new password is chosen'),
  PAGE_ACCEPT_INVITE: page('/accept-invite', 'the link of an invitation leads'),
  PAGE_FORGOT_PASSWORD: setting(
    'Pages',
    pageAddress(),
    { default: '/forgot-password' },
    'Where mails about an account lead whoever needs a new password: a path under `PUBLIC_URL`, or a URL. Default: the built-in page.',
  ),
  PAGE_SIGN_IN: setting(
    'Pages',
    pageAddress(),
    { default: '/sign-in' },
    'Where the built-in pages lead once they are done: a path under `PUBLIC_URL`, or a URL. Default: the built-in page.',
  ),
  PAGE_UNSUBSCRIBE: page('/unsubscribe', 'mails lead whoever wants no more of their kind'),
  REGISTRATION: setting(
    'Sign-in',
    oneOf('open', 'closed'),
    { default: 'open' },
    'Whether anybody may open an account and found a tenant. `closed`: people come in by invitation, and only super admins found tenants.',
  ),
  PASSWORD_MIN_LENGTH: setting(
    'Sign-in',
    integer(8, 128),
    { default: '12' },
    'Fewest characters of a new password. Passwords that exist stay valid.',
  ),
  ACCESS_TOKEN_TTL: setting(
    'Sign-in',
    duration('1s', '1d'),
    { default: '600' },
    'Life of an access token. Services that verify it on their own notice a revocation only when it ends.',
  ),
  REFRESH_TOKEN_TTL: setting(
    'Sign-in',
    duration('1s', '365d'),
    { default: '30d' },
    'How long a session lives on without being used.',
  ),
  TENANTS_PER_PERSON: setting(
    'Limits',
    integer(1, 1_000_000),
    { default: '20' },
    'How many tenants one person may found, those that are gone included.',
  ),
  INVITATION_TTL: setting('Sign-in', duration('1s', '90d'), { default: '48h' }, 'Life of an invitation link.'),
  ...fileSettings,
  AUDIT_RETENTION_MIN_DAYS: setting(
    'Operation',
    integer(7, 3650),
    { default: '30' },
    'How long every tenant keeps its audit log at least, whatever its settings say.',
  ),
  NOTIFICATION_RETENTION_DAYS: setting(
    'Operation',
    integer(7, 3650),
    { default: '90' },
    'For how many days notifications are kept. They go by whole months, so each stays for up to a month longer.',
  ),
  WORKER_PORT: setting(
    'Operation',
    integer(1, 65_535),
    { default: null, example: '9090' },
    'Port on `HOST` for those who watch over the process: `/health`, `/health/db`, `/health/ready` and `/metrics`, nothing else. Keep it from the public. Unset: none. Several processes on one machine need one each.',
  ),
  WORKER_CONCURRENCY: setting(
    'Operation',
    integer(1, 100),
    { default: '10' },
    'Jobs that one worker process runs at the same time.',
  ),
  CLAMAV_URL: setting(
    'Files',
    clamdUrl(),
    { default: null, example: 'unix:///run/clamav/clamd.ctl' },
    'Where ClamAV’s `clamd` listens. What is uploaded is scanned by it, and can be read by nobody before it is found clean, also while it cannot be reached. Unset: nothing is scanned.',
  ),
} as const satisfies Record<string, Setting>

export type SettingName = keyof typeof settings

type Value<S> = S extends Setting<infer T, infer D> ? (null extends D ? T | null : T) : never

/** Every setting, parsed; null where it is unset and has no default. */
export type Env = { readonly [N in SettingName]: Value<(typeof settings)[N]> }

/** What `readEnv` found. */
export interface EnvReading {
  readonly env: Env
  /** The settings that were given at all, well-formed or not. */
  readonly given: ReadonlySet<SettingName>
  /** Whole sentences that begin with the setting's name; values stand in none of them. */
  readonly problems: string[]
  /** What was read: every name there is, settings or not. */
  readonly source: Readonly<Record<string, string | undefined>>
}

/** Adds variables to the environment of this process unless they are set. */
export function addToEnvironment(values: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(values)) process.env[name] ??= value
}

/** Reads and parses every setting; where one is malformed, `env` has its default and `problems` says so. */
export function readEnv(source: Record<string, string | undefined> = process.env): EnvReading {
  const problems: string[] = []
  const given = new Set<SettingName>()
  const entries = Object.entries<Setting>(settings).map(([name, setting]) => {
    const { value, isGiven, problem } = readEntry(name, setting, source)
    if (isGiven) given.add(name as SettingName) // the key of the table
    if (problem) problems.push(problem)
    return [name, value]
  })
  // Built from the table that the type is derived from, which Object.fromEntries cannot express.
  return { env: Object.fromEntries(entries) as Env, given, problems, source }
}

/** One setting as it was found. */
export interface EntryReading {
  /** Parsed; of a malformed one, its default. */
  readonly value: unknown
  readonly isGiven: boolean
  readonly problem?: string
}

/** Reads and parses one setting. */
export function readEntry(
  name: string,
  { kind, default: fallback }: Pick<Setting, 'kind' | 'default'>,
  source: Readonly<Record<string, string | undefined>>,
): EntryReading {
  // Shells and compose files set a variable to nothing to unset it.
  const text = source[name]?.trim() || null
  const isGiven = text !== null
  try {
    return { value: parseOrNull(kind, text ?? fallback), isGiven }
  } catch (error) {
    if (!(error instanceof InvalidSetting)) throw error
    return { value: parseOrNull(kind, fallback), isGiven, problem: `${name} ${error.message}.` }
  }
}

/** Whether npm runs this process as a script: a signal to npm is meant for this process as well. */
export function startedByNpm(): boolean {
  return process.env.npm_lifecycle_event !== undefined
}

function parseOrNull(kind: Kind<unknown>, value: string | null): unknown {
  return value === null ? null : kind.parse(value)
}
