import {
  base64url,
  baseUrl,
  cidrs,
  decimal,
  duration,
  extensions,
  flag,
  host,
  InvalidSetting,
  integer,
  type Kind,
  mailAddress,
  oneOf,
  pageAddress,
  secret,
  secrets,
  size,
  text,
  url,
} from './kinds.ts'

/** One setting of the environment: all that the parser, the documentation and `.env.example` say about it. */
export interface Setting<T = unknown, Default extends string | null = string | null> {
  readonly group: SettingGroup
  /** Meaning, warning and, where it is computed, the default: whole sentences in Markdown. */
  readonly description: string
  readonly kind: Kind<T>
  /** As it would be written in the environment; null: unset. */
  readonly default: Default
  /** Never shown in a log, an error or an answer. */
  readonly secret: boolean
  /** A sensible value for `.env.example` where there is no default. */
  readonly example?: string
}

export type SettingGroup =
  | 'Server'
  | 'Database'
  | 'Secrets'
  | 'Mail'
  | 'Pages'
  | 'Sign-in'
  | 'Limits'
  | 'Files'
  | 'Push'
  | 'Operation'

interface SettingOptions<Default extends string | null> {
  default: Default
  secret?: boolean
  example?: string
}

function setting<T, const Default extends string | null>(
  group: SettingGroup,
  kind: Kind<T>,
  options: SettingOptions<Default>,
  description: string,
): Setting<T, Default> {
  return { group, kind, secret: false, ...options, description }
}

const POSTGRES = url('postgres', 'postgresql')

const page = (path: string, opens: string) =>
  setting(
    'Pages',
    pageAddress(),
    { default: path },
    `Where ${opens}: a path under \`PUBLIC_URL\`, or a URL. The token is appended as \`token=\`, or put in the place of \`{token}\`. Default: the built-in page.`,
  )

const EXTENSIONS = [
  'pdf,txt,csv,md,rtf,doc,docx,xls,xlsx,ppt,pptx,odt,ods,odp',
  'png,jpg,jpeg,gif,webp,avif,heic,bmp,tif,tiff',
  'zip,gz,tar,7z,mp3,m4a,wav,ogg,mp4,m4v,mov,webm',
].join(',')

/** Every setting by its name. */
export const settings = {
  NODE_ENV: setting(
    'Server',
    oneOf('development', 'test', 'production'),
    { default: 'development' },
    'What the process is for. `production` refuses weak secrets and an insecure `PUBLIC_URL`; `development` shows the mailbox page; `test` relaxes nothing.',
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
    'Address under which people reach the application; links in mails begin with it. Default: `http://localhost:<PORT>`. In production it must be `https` unless its host is loopback.',
  ),
  TRUSTED_PROXIES: setting(
    'Server',
    cidrs(),
    { default: '', example: '10.0.0.0/8' },
    'Networks of the proxies whose `X-Forwarded-For` is believed. Unset: the address of the socket is the client. Too wide a list lets clients choose the address they are limited by.',
  ),
  OUTBOUND_ALLOW: setting(
    'Server',
    cidrs(),
    { default: '', example: '192.168.10.0/24' },
    'Private networks that outbound requests to addresses given by users (where the audit log is streamed to, webhooks) may reach all the same. Unset: none.',
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
    url('redis', 'rediss'),
    { default: null, secret: true, example: 'redis://127.0.0.1:6379' },
    'Shares rate limits between processes. Unset: each process counts on its own.',
  ),
  RATE_LIMIT_FACTOR: setting(
    'Limits',
    decimal(0, 1000),
    { default: '1' },
    'Multiplies every rate limit. `0` switches all of them off, lockout after failed sign-ins included: for tests and benchmarks only.',
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
    'Allows the first super admin to be made, once. Unset: one is made and printed at the first start. In production at least 16 characters.',
  ),
  SMTP_URL: setting(
    'Mail',
    url('smtp', 'smtps'),
    { default: null, secret: true, example: 'smtps://user:password@smtp.example.com:465' },
    'Mail server. Unset: mails go to a mailbox on disk, `DATA_DIR/mailbox`. Needs `MAIL_FROM`.',
  ),
  MAIL_FROM: setting(
    'Mail',
    mailAddress(),
    { default: null, example: 'Example <no-reply@example.com>' },
    'Sender of all mails. Default without `SMTP_URL`: `Tenantry <no-reply@localhost>`.',
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
  INVITATION_TTL: setting('Sign-in', duration('1s', '90d'), { default: '48h' }, 'Life of an invitation link.'),
  FILE_STORAGE_BACKEND: setting(
    'Files',
    oneOf('local', 's3'),
    { default: 'local' },
    'Where uploaded files go: `DATA_DIR` or an S3 bucket. `local` serves one machine only.',
  ),
  FILE_UPLOAD_MAX_SIZE: setting('Files', size('1B', '1TiB'), { default: '50MiB' }, 'Largest upload.'),
  FILE_ALLOWED_EXTENSIONS: setting(
    'Files',
    extensions(),
    { default: EXTENSIONS },
    'Endings of the file names that may be uploaded. Pages and programs (`html`, `svg`, `js`, `exe`) are left out on purpose.',
  ),
  S3_ENDPOINT: setting(
    'Files',
    url('http', 'https'),
    { default: null, example: 'https://s3.example.com' },
    'Address of an S3-compatible server. Unset: AWS itself, in `S3_REGION`. Only with `FILE_STORAGE_BACKEND=s3`.',
  ),
  S3_REGION: setting(
    'Files',
    text('text', 64),
    { default: null, example: 'eu-central-1' },
    'Required with `FILE_STORAGE_BACKEND=s3`.',
  ),
  S3_BUCKET: setting(
    'Files',
    text('text', 255),
    { default: null, example: 'example-files' },
    'Required with `FILE_STORAGE_BACKEND=s3`.',
  ),
  S3_ACCESS_KEY_ID: setting(
    'Files',
    text('text', 256),
    { default: null, secret: true },
    'Required with `FILE_STORAGE_BACKEND=s3`.',
  ),
  S3_SECRET_ACCESS_KEY: setting(
    'Files',
    text('text', 256),
    { default: null, secret: true },
    'Required with `FILE_STORAGE_BACKEND=s3`.',
  ),
  AUDIT_ARCHIVE: setting(
    'Files',
    flag(),
    { default: 'false' },
    'Keep what the retention of audit records removes: each tenant’s months as compressed files under `DATA_DIR/files/audit`. Needs `FILE_STORAGE_BACKEND=local`.',
  ),
  CLAMAV_URL: setting(
    'Files',
    url('tcp'),
    { default: null, example: 'tcp://127.0.0.1:3310' },
    'A clamd that scans uploads. Unset: uploads are not scanned.',
  ),
  VAPID_PUBLIC_KEY: setting(
    'Push',
    base64url(65),
    { default: null },
    'Key pair for web push, with `VAPID_PRIVATE_KEY`. Unset: push is off.',
  ),
  VAPID_PRIVATE_KEY: setting('Push', base64url(32), { default: null, secret: true }, 'The other half of the pair.'),
  OTEL_EXPORTER_OTLP_ENDPOINT: setting(
    'Operation',
    url('http', 'https'),
    { default: null, example: 'http://127.0.0.1:4318' },
    'Collector that traces are sent to. Unset: no traces leave the process.',
  ),
  WORKER_CONCURRENCY: setting(
    'Operation',
    integer(1, 100),
    { default: '10' },
    'Jobs that one worker process runs at the same time.',
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
}

/** Reads and parses every setting; where one is malformed, `env` has its default and `problems` says so. */
export function readEnv(source: Record<string, string | undefined> = process.env): EnvReading {
  const problems: string[] = []
  const given = new Set<SettingName>()
  const entries = Object.entries<Setting>(settings).map(([name, { kind, default: fallback }]) => {
    // Set to nothing is how a shell or a compose file says "unset".
    const value = source[name]?.trim() || null
    if (value !== null) given.add(name as SettingName) // the key of the table
    try {
      return [name, parseOrNull(kind, value ?? fallback)]
    } catch (error) {
      if (!(error instanceof InvalidSetting)) throw error
      problems.push(`${name} ${error.message}.`)
      return [name, parseOrNull(kind, fallback)]
    }
  })
  // Built from the table that the type is derived from, which Object.fromEntries cannot express.
  return { env: Object.fromEntries(entries) as Env, given, problems }
}

/** Whether npm runs this process as a script of a package: who stops npm means to stop it as well. */
export function startedByNpm(): boolean {
  return process.env.npm_lifecycle_event !== undefined
}

function parseOrNull(kind: Kind<unknown>, value: string | null): unknown {
  return value === null ? null : kind.parse(value)
}
