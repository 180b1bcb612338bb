import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { describe, test } from 'node:test'
import { ConfigError, loadConfig } from './config.ts'

type Source = Record<string, string | undefined>

function problemsOf(source: Source): string[] {
  try {
    loadConfig(source)
    return []
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return [...error.problems]
  }
}

function refuses(source: Source, ...expected: RegExp[]): void {
  const problems = problemsOf(source)
  assert.equal(problems.length, expected.length, problems.join('\n'))
  for (const [index, pattern] of expected.entries()) assert.match(problems[index] ?? '', pattern)
}

const STRONG = 'q8Zr1mVt5Xc0Lp7Ny3Kd9Ws2Hb6Gf4Ja'
const DATABASE = { DATABASE_URL: 'postgres://app@db/t', DATABASE_SYSTEM_URL: 'postgres://system@db/t' }

describe('defaults', () => {
  test('nothing set gives a whole configuration for development', () => {
    const { of: _, ...config } = loadConfig({})
    assert.deepEqual(config, {
      env: 'development',
      http: {
        host: '127.0.0.1',
        port: 3000,
        publicUrl: 'http://localhost:3000',
        corsOrigins: [],
        trustedProxies: [],
        metricsPublic: true,
        apiDocsPublic: true,
        probePort: null,
        shutdownDelaySeconds: 0,
      },
      log: { level: 'info' },
      dataDir: resolve('.data'),
      database: { appUrl: null, systemUrl: null, ownerUrl: null, listenUrl: null, poolSize: 10 },
      appSecret: null,
      appSecretPrevious: [],
      bootstrapToken: null,
      mail: { off: false, smtpUrl: null, from: null, logDays: 90, bounceDomain: null, reportSecret: null },
      notices: { retentionDays: 90 },
      pages: {
        '/verify-email': '/verify-email',
        '/reset-password': '/reset-password',
        '/accept-invite': '/accept-invite',
        '/forgot-password': '/forgot-password',
        '/sign-in': '/sign-in',
        '/unsubscribe': '/unsubscribe',
      },
      outboundAllow: [],
      redisUrl: null,
      rateLimitFactor: 1,
      tenantsPerPerson: 20,
      trialsPerPerson: 1,
      registration: 'open',
      passwords: { minLength: 12 },
      tokens: { accessTtlSeconds: 600, refreshTtlSeconds: 2_592_000, invitationTtlSeconds: 172_800 },
      files: { backend: 'local', s3: null },
      audit: { archive: false, minRetentionDays: 30 },
      worker: { concurrency: 10 },
      clamavUrl: null,
    })
  })

  test('an empty or blank value counts as unset, and unknown names are ignored', () => {
    const source = { PORT: '', DATABASE_URL: '  ', SMTP_URL: '', DATABASE_SPEED: 'fast', HOME: '/root' }
    assert.deepEqual(loadConfig(source), loadConfig({}))
  })

  test('the public address follows the port', () => {
    assert.equal(loadConfig({ PORT: '8080' }).http.publicUrl, 'http://localhost:8080')
  })

  test('the listening connection falls back to the application role', () => {
    assert.equal(loadConfig(DATABASE).database.listenUrl, DATABASE.DATABASE_URL)
    const direct = loadConfig({ ...DATABASE, DATABASE_LISTEN_URL: 'postgres://app@direct/t' })
    assert.equal(direct.database.listenUrl, 'postgres://app@direct/t')
  })

  test('what is loaded cannot be changed', () => {
    const config = loadConfig({ TRUSTED_PROXIES: '10.0.0.0/8' })
    assert.ok(Object.isFrozen(config) && Object.isFrozen(config.http) && Object.isFrozen(config.http.trustedProxies))
  })
})

describe('problems', () => {
  test('all of them are named at once', () => {
    const source = {
      PORT: '70000',
      LOG_LEVEL: 'loud',
      PUBLIC_URL: 'ftp://x',
      OTEL_SERVICE_NAME: 'x',
      TRUSTED_PROXIES: '10.0.0.0/33',
      SMTP_URL: 'smtp://mail',
      DATABSE_URL: 'postgres://x',
    }
    refuses(
      source,
      /^PORT must be a whole number/,
      /^PUBLIC_URL must be a URL that begins with/,
      /^TRUSTED_PROXIES must list networks/,
      /^LOG_LEVEL must be one of/,
      /^DATABSE_URL is no setting: DATABASE_URL is\./,
      /^OTEL_SERVICE_NAME is set, but sending traces is not built yet/,
      /^SMTP_URL is set, but MAIL_FROM is not/,
    )
  })

  test('no problem repeats what was given', () => {
    const source = {
      DATABASE_URL: 'mysql://app:hunter2hunter2@db/t',
      SMTP_URL: 'hunter2hunter2',
      APP_SECRET: 'hunter2 hunter2',
      S3_BUCKET: 'hunter2/hunter2',
      S3_SECRET_ACCESS_KEY: 'hunter2 hunter2',
      APP_SECRETS: 'hunter2hunter2',
    }
    assert.doesNotMatch(problemsOf(source).join('\n'), /hunter2/)
  })

  test('a malformed setting is not also reported as missing', () => {
    refuses({ ...DATABASE, DATABASE_SYSTEM_URL: 'mysql://db/t' }, /^DATABASE_SYSTEM_URL must be a URL/)
  })
})

describe('half-set features', () => {
  test('the database needs both of its roles', () => {
    refuses({ DATABASE_URL: DATABASE.DATABASE_URL }, /^DATABASE_URL is set, but DATABASE_SYSTEM_URL is not/)
    for (const name of ['DATABASE_SYSTEM_URL', 'DATABASE_OWNER_URL', 'DATABASE_LISTEN_URL']) {
      refuses({ [name]: 'postgres://x@db/t' }, new RegExp(`^${name} is set, but DATABASE_URL is not`))
    }
    assert.deepEqual(problemsOf(DATABASE), [])
  })

  test('audit records are archived when told so', () => {
    assert.deepEqual(loadConfig({ AUDIT_ARCHIVE: 'true' }).audit, { archive: true, minRetentionDays: 30 })
    refuses({ AUDIT_ARCHIVE: 'yes' }, /^AUDIT_ARCHIVE must be one of true, false/)
  })

  test('files in a bucket need to know which, where, and both halves of a key', () => {
    refuses({ FILE_STORAGE_BACKEND: 's3' }, /^FILE_STORAGE_BACKEND is s3, but S3_BUCKET is not set/)
    refuses({ FILE_STORAGE_BACKEND: 'gcs' }, /^FILE_STORAGE_BACKEND must be one of local, s3/)
    refuses({ S3_BUCKET: 'files' }, /^S3_BUCKET is set, but neither S3_ENDPOINT nor S3_REGION is/)
    refuses({ S3_ENDPOINT: 'https://s3.example.com' }, /^S3_ENDPOINT is set, but S3_BUCKET is not/)
    const bucket = { S3_BUCKET: 'files', S3_ENDPOINT: 'https://s3.example.com/' }
    refuses({ ...bucket, S3_ACCESS_KEY_ID: 'id' }, /^S3_ACCESS_KEY_ID is set, but S3_SECRET_ACCESS_KEY is not/)
    refuses({ ...bucket, S3_SECRET_ACCESS_KEY: 'x' }, /^S3_SECRET_ACCESS_KEY is set, but S3_ACCESS_KEY_ID is not/)
    refuses({ ...bucket, S3_BUCKET: 'Files/..' }, /^S3_BUCKET must be the name of a bucket/)
    refuses({ ...bucket, S3_ENDPOINT: 'https://id:secret@s3.example.com' }, /^S3_ENDPOINT must not contain a user name/)
    refuses({ ...bucket, S3_REGION: 'eu central' }, /^S3_REGION must be a region/)
  })

  test('a bucket may be described while new files go to the disk', () => {
    const source = { S3_BUCKET: 'files', S3_ENDPOINT: 'https://s3.example.com/' }
    const s3 = {
      bucket: 'files',
      endpoint: 'https://s3.example.com',
      region: 'us-east-1',
      accessKeyId: null,
      secretAccessKey: null,
      checksums: 'when_required',
    }
    assert.deepEqual(loadConfig(source).files, { backend: 'local', s3 })
    assert.deepEqual(loadConfig({ ...source, FILE_STORAGE_BACKEND: 's3' }).files, { backend: 's3', s3 })
    assert.deepEqual(loadConfig({}).files, { backend: 'local', s3: null })
  })

  test('the port for probes is another than that of the API', () => {
    refuses({ WORKER_PORT: '3000' }, /^WORKER_PORT must not be PORT/)
    assert.equal(loadConfig({ WORKER_PORT: '9090' }).http.probePort, 9090)
  })

  test('a mail server needs a sender, an earlier secret a current one', () => {
    refuses({ SMTP_URL: 'smtp://mail' }, /^SMTP_URL is set, but MAIL_FROM is not/)
    refuses({ APP_SECRET_PREVIOUS: STRONG }, /^APP_SECRET_PREVIOUS is set, but APP_SECRET is not/)
    assert.deepEqual(problemsOf({ MAIL_FROM: 'a@example.com' }), [])
  })
})

describe('what nothing heeds', () => {
  test('is refused by name where it is still to come', () => {
    const names = ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_SERVICE_NAME']
    for (const name of names) refuses({ [name]: '1' }, new RegExp(`^${name} is set, but .* is not built yet`))
    assert.deepEqual(problemsOf({ OTEL_SERVICE_NAME: ' ' }), [])
  })

  test('is refused where it is a slip away from a setting', () => {
    for (const [slip, meant] of [
      ['PUBLIC_URI', 'PUBLIC_URL'],
      ['DATABSE_URL', 'DATABASE_URL'],
      ['DATABASE_SYTEM_ULR', 'DATABASE_SYSTEM_URL'],
      ['NODE_EVN', 'NODE_ENV'],
      ['APP_SECRETS', 'APP_SECRET'],
      ['EMAIL_FROM', 'MAIL_FROM'],
      ['Node_Env', 'NODE_ENV'],
      ['rate_limit_factor', 'RATE_LIMIT_FACTOR'],
    ])
      refuses({ [`${slip}`]: 'x' }, new RegExp(`^${slip} is no setting: ${meant} is\\.`))
    assert.deepEqual(problemsOf({ PUBLIC_URI: 'x', PUBLIC_URL: 'https://app.example.com' }), [], 'it is given too')
  })

  test('is left alone where it belongs to somebody else', () => {
    const others = [
      'HOME',
      'HOSTNAME',
      'PATH',
      'PORTS',
      'PGHOST',
      'DATABASE_USER',
      'NODE_OPTIONS',
      'AWS_SECRET_ACCESS_KEY',
    ]
    for (const name of [...others, 'public_uri', 'PUBLIC_KEY', 'LOG_FORMAT', 'MAIL_TO', 'npm_config_host'])
      assert.deepEqual(problemsOf({ [name]: 'x' }), [], name)
  })
})

describe('production', () => {
  const whole = { PUBLIC_URL: 'https://app.example.com', SMTP_URL: 'smtps://mail', MAIL_FROM: 'a@example.com' }
  const production = { NODE_ENV: 'production', APP_SECRET: STRONG, ...whole }

  test('has no address, no mail server and no lockout by default', () => {
    const { PUBLIC_URL, ...nowhere } = production
    refuses(nowhere, /^PUBLIC_URL is required/)
    const { SMTP_URL, ...mute } = production
    refuses(mute, /^SMTP_URL is required in production.*MAIL=off/)
    assert.equal(loadConfig({ ...mute, MAIL: 'off' }).mail.off, true)
    refuses({ ...mute, MAIL: '/var/mail/root' }, /^SMTP_URL is required/)
    for (const zero of ['0', '0.0'])
      refuses({ ...production, RATE_LIMIT_FACTOR: zero }, /^RATE_LIMIT_FACTOR must not be 0/)
    assert.deepEqual(problemsOf({ ...production, RATE_LIMIT_FACTOR: '0.1' }), [])
  })

  test('trusts no list that covers a good part of the internet, however it is written', () => {
    const wide = [
      '0.0.0.0/0',
      '::/0',
      '0.0.0.0/1,128.0.0.0/1',
      '::/1,8000::/1',
      '2000::/3',
      '::ffff:0:0/96',
      '1.0.0.0/4',
    ]
    wide.push('64:ff9b::/96', '::/64', Array.from({ length: 90 }, (_, i) => `${i + 20}.0.0.0/8`).join())
    for (const name of ['TRUSTED_PROXIES', 'OUTBOUND_ALLOW']) {
      for (const list of wide) refuses({ ...production, [name]: list }, new RegExp(`^${name} covers a good part`))
      for (const own of [
        '10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fd00::/8,127.0.0.0/8,fe80::/10,100.64.0.0/10',
        '104.16.0.0/13,172.64.0.0/13,162.158.0.0/15,2606:4700::/32,2a06:98c0::/29',
        '10.0.0.0/8,10.0.0.0/9,::ffff:10.0.0.0/104,::1',
      ])
        assert.deepEqual(problemsOf({ ...production, [name]: own }), [], own)
      assert.deepEqual(problemsOf({ [name]: '0.0.0.0/0' }), [], 'a test may')
    }
  })

  test('lets no page in that anybody on the way could have changed', () => {
    const from = (CORS_ORIGINS: string) => ({ ...production, CORS_ORIGINS })
    refuses(from('https://app.example.com,http://app.example.com'), /^CORS_ORIGINS must begin with https:/)
    assert.deepEqual(problemsOf(from('https://app.example.com,http://localhost:5173')), [])
    assert.deepEqual(problemsOf({ CORS_ORIGINS: 'http://app.example.com' }), [], 'elsewhere one may')
  })

  test('goes on answering for 5 seconds once it was told to stop, unless told otherwise', () => {
    assert.equal(loadConfig(production).http.shutdownDelaySeconds, 5)
    assert.equal(loadConfig({ ...production, SHUTDOWN_DELAY: '0' }).http.shutdownDelaySeconds, 0)
    assert.equal(loadConfig({ NODE_ENV: 'test' }).http.shutdownDelaySeconds, 0)
  })

  test('keeps metrics and documents from the public unless told otherwise', () => {
    const shown = (env: Source) => {
      const { metricsPublic, apiDocsPublic } = loadConfig({ ...production, ...env }).http
      return [metricsPublic, apiDocsPublic]
    }
    assert.deepEqual(shown({}), [false, false])
    assert.deepEqual(shown({ METRICS_PUBLIC: 'true', API_DOCS_PUBLIC: 'true' }), [true, true])
    assert.equal(loadConfig({ METRICS_PUBLIC: 'false' }).http.metricsPublic, false)
  })

  test('starts with a strong secret', () => {
    assert.deepEqual(problemsOf(production), [])
    assert.deepEqual(problemsOf({ ...production, APP_SECRET: '0f4c9a7be21d5836c0a94e7f13b8d265' }), [])
  })

  test('refuses a missing, short, monotonous or well-known secret', () => {
    refuses({ NODE_ENV: 'production', ...whole }, /^APP_SECRET is required/)
    refuses({ ...production, APP_SECRET: STRONG.slice(0, 31) }, /at least 32 characters/)
    for (const poor of [
      'a'.repeat(40),
      STRONG.slice(0, 20).repeat(2),
      'abcdefghij0123456789'.repeat(2),
      'abcdefghijklmnopqrstuvwxyz0123456789',
    ]) {
      refuses({ ...production, APP_SECRET: poor }, /too little variety/)
    }
    refuses({ ...production, APP_SECRET: `change-me-${STRONG}` }, /placeholder/)
  })

  test('wants https, except on loopback', () => {
    refuses({ ...production, PUBLIC_URL: 'http://app.example.com' }, /^PUBLIC_URL must begin with https/)
    refuses({ ...production, PUBLIC_URL: 'http://127.0.0.1.example.com' }, /^PUBLIC_URL must begin with https/)
    for (const url of ['https://app.example.com', 'http://localhost:3000', 'http://127.0.0.5', 'http://[::1]:3000']) {
      assert.deepEqual(problemsOf({ ...production, PUBLIC_URL: url }), [], url)
    }
  })

  test('refuses a weak bootstrap token; development takes it', () => {
    const short = 'kX3p9QvLw2'
    refuses({ ...production, BOOTSTRAP_TOKEN: short }, /^BOOTSTRAP_TOKEN must have at least 16/)
    refuses({ ...production, BOOTSTRAP_TOKEN: 'a'.repeat(40) }, /^BOOTSTRAP_TOKEN has too little variety/)
    refuses({ ...production, RATE_LIMIT_FACTOR: '1000' }, /^RATE_LIMIT_FACTOR must be at most 10/)
    assert.equal(loadConfig({ BOOTSTRAP_TOKEN: 'short' }).bootstrapToken, 'short')
  })
})
