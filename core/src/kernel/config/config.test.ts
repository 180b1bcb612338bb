import assert from 'node:assert/strict'
import { createECDH } from 'node:crypto'
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
const S3 = { S3_REGION: 'eu', S3_BUCKET: 'b', S3_ACCESS_KEY_ID: 'id', S3_SECRET_ACCESS_KEY: 'key' }

describe('defaults', () => {
  test('nothing set gives a whole configuration for development', () => {
    const { files, ...config } = loadConfig({})
    assert.deepEqual(config, {
      env: 'development',
      http: { host: '127.0.0.1', port: 3000, publicUrl: 'http://localhost:3000', trustedProxies: [] },
      log: { level: 'info' },
      dataDir: resolve('.data'),
      database: { appUrl: null, systemUrl: null, ownerUrl: null, listenUrl: null, poolSize: 10 },
      redisUrl: null,
      appSecret: null,
      appSecretPrevious: [],
      bootstrapToken: null,
      mail: { smtpUrl: null, from: { name: 'Tenantry', address: 'no-reply@localhost' } },
      outboundAllow: [],
      rateLimitFactor: 1,
      trialsPerPerson: 1,
      passwords: { minLength: 12 },
      tokens: { accessTtlSeconds: 600, refreshTtlSeconds: 2_592_000, invitationTtlSeconds: 172_800 },
      audit: { archive: false },
      push: null,
      clamavUrl: null,
      otlpEndpoint: null,
      worker: { concurrency: 10 },
    })
    assert.equal(files.maxSizeBytes, 52_428_800)
    assert.equal(files.backend, 'local')
    assert.equal(files.s3, null)
    assert.ok(files.allowedExtensions.includes('pdf') && !files.allowedExtensions.includes('svg'))
  })

  test('an empty or blank value counts as unset, and unknown names are ignored', () => {
    const source = { PORT: '', DATABASE_URL: '  ', SMTP_URL: '', DATABASE_SPEED: 'fast', APP_SECRETS: 'x' }
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
      REDIS_URL: 'http://x',
      TRUSTED_PROXIES: '10.0.0.0/33',
      SMTP_URL: 'smtp://mail',
      S3_BUCKET: 'b',
    }
    refuses(
      source,
      /^PORT must be a whole number/,
      /^PUBLIC_URL must be a URL that begins with/,
      /^TRUSTED_PROXIES must list networks/,
      /^LOG_LEVEL must be one of/,
      /^REDIS_URL must be a URL/,
      /^SMTP_URL is set, but MAIL_FROM is not/,
      /^S3_BUCKET is set, but FILE_STORAGE_BACKEND is not s3/,
    )
  })

  test('no problem repeats what was given', () => {
    const source = {
      DATABASE_URL: 'mysql://app:hunter2hunter2@db/t',
      SMTP_URL: 'hunter2hunter2',
      APP_SECRET: 'hunter2 hunter2',
      VAPID_PRIVATE_KEY: 'hunter2hunter2',
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

  test('S3 is set whole or not at all', () => {
    refuses({ FILE_STORAGE_BACKEND: 's3', S3_BUCKET: 'b' }, /^S3_REGION/, /^S3_ACCESS_KEY_ID/, /^S3_SECRET_ACCESS_KEY/)
    refuses({ S3_ENDPOINT: 'https://s3.test' }, /^S3_ENDPOINT is set, but FILE_STORAGE_BACKEND is not s3/)
    const { s3 } = loadConfig({ FILE_STORAGE_BACKEND: 's3', ...S3 }).files
    assert.deepEqual(s3, { endpoint: null, region: 'eu', bucket: 'b', accessKeyId: 'id', secretAccessKey: 'key' })
  })

  test('audit records are archived on local disk alone', () => {
    assert.deepEqual(loadConfig({ AUDIT_ARCHIVE: 'true' }).audit, { archive: true })
    refuses({ AUDIT_ARCHIVE: 'yes' }, /^AUDIT_ARCHIVE must be one of true, false/)
    const bucket = { FILE_STORAGE_BACKEND: 's3', ...S3 }
    refuses({ ...bucket, AUDIT_ARCHIVE: 'true' }, /^AUDIT_ARCHIVE needs FILE_STORAGE_BACKEND=local/)
    assert.deepEqual(problemsOf({ ...bucket, AUDIT_ARCHIVE: 'false' }), [])
  })

  test('the keys of web push are a pair', () => {
    const [pair, other] = [createECDH('prime256v1'), createECDH('prime256v1')]
    const [publicKey, otherKey] = [pair.generateKeys('base64url'), other.generateKeys('base64url')]
    // One key in 256 begins with a zero byte, which Node leaves out.
    const privateKey = Buffer.from(pair.getPrivateKey('hex').padStart(64, '0'), 'hex').toString('base64url')
    refuses({ VAPID_PUBLIC_KEY: publicKey }, /^VAPID_PUBLIC_KEY is set, but VAPID_PRIVATE_KEY is not/)
    refuses({ VAPID_PRIVATE_KEY: privateKey }, /^VAPID_PRIVATE_KEY is set, but VAPID_PUBLIC_KEY is not/)
    refuses({ VAPID_PUBLIC_KEY: otherKey, VAPID_PRIVATE_KEY: privateKey }, /does not belong to/)
    const { push } = loadConfig({ VAPID_PUBLIC_KEY: publicKey, VAPID_PRIVATE_KEY: privateKey })
    assert.deepEqual(push, { publicKey, privateKey })
  })

  test('a mail server needs a sender, an earlier secret a current one', () => {
    refuses({ SMTP_URL: 'smtp://mail' }, /^SMTP_URL is set, but MAIL_FROM is not/)
    refuses({ APP_SECRET_PREVIOUS: STRONG }, /^APP_SECRET_PREVIOUS is set, but APP_SECRET is not/)
    assert.deepEqual(problemsOf({ MAIL_FROM: 'a@example.com' }), [])
  })
})

describe('production', () => {
  const production = { NODE_ENV: 'production', APP_SECRET: STRONG }

  test('starts with a strong secret', () => {
    assert.deepEqual(problemsOf(production), [])
    assert.deepEqual(problemsOf({ ...production, APP_SECRET: '0f4c9a7be21d5836c0a94e7f13b8d265' }), [])
  })

  test('refuses a missing, short, monotonous or well-known secret', () => {
    refuses({ NODE_ENV: 'production' }, /^APP_SECRET is required/)
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

  test('refuses a short bootstrap token; development takes it', () => {
    refuses({ ...production, BOOTSTRAP_TOKEN: 'short' }, /^BOOTSTRAP_TOKEN must have at least 16/)
    assert.equal(loadConfig({ BOOTSTRAP_TOKEN: 'short' }).bootstrapToken, 'short')
  })
})
