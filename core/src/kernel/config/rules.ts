import { createECDH } from 'node:crypto'
import type { Env, SettingName } from './env.ts'
import { isLoopback } from './loopback.ts'

/** The rules between settings: half-set features, and what production demands. One sentence for each one broken. */
export function checkRules(env: Env, given: ReadonlySet<SettingName>): string[] {
  return [
    ...checkPairs(given),
    ...checkStorage(env, given),
    ...checkPush(env),
    ...(env.NODE_ENV === 'production' ? checkProduction(env, given) : []),
  ]
}

/** [a setting, what it needs, why] */
const NEEDS: [SettingName, SettingName, string][] = [
  ['DATABASE_URL', 'DATABASE_SYSTEM_URL', 'the server works as two roles'],
  ['DATABASE_SYSTEM_URL', 'DATABASE_URL', 'without it the embedded PostgreSQL would be used'],
  ['DATABASE_OWNER_URL', 'DATABASE_URL', 'without it the embedded PostgreSQL would be used'],
  ['DATABASE_LISTEN_URL', 'DATABASE_URL', 'without it the embedded PostgreSQL would be used'],
  ['SMTP_URL', 'MAIL_FROM', 'mails need a sender'],
  ['VAPID_PUBLIC_KEY', 'VAPID_PRIVATE_KEY', 'the keys are a pair'],
  ['VAPID_PRIVATE_KEY', 'VAPID_PUBLIC_KEY', 'the keys are a pair'],
  ['APP_SECRET_PREVIOUS', 'APP_SECRET', 'nothing would be sealed with a secret that is known'],
]

function checkPairs(given: ReadonlySet<SettingName>): string[] {
  return NEEDS.filter(([name, needed]) => given.has(name) && !given.has(needed)).map(
    ([name, needed, why]) => `${name} is set, but ${needed} is not: ${why}.`,
  )
}

const S3_REQUIRED = ['S3_REGION', 'S3_BUCKET', 'S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY'] as const
const S3_ALL = ['S3_ENDPOINT', ...S3_REQUIRED] as const

function checkStorage(env: Env, given: ReadonlySet<SettingName>): string[] {
  if (env.FILE_STORAGE_BACKEND === 's3') {
    const missing = S3_REQUIRED.filter((name) => !given.has(name)).map(
      (name) => `${name} is required by FILE_STORAGE_BACKEND=s3.`,
    )
    return env.AUDIT_ARCHIVE ? [...missing, 'AUDIT_ARCHIVE needs FILE_STORAGE_BACKEND=local.'] : missing
  }
  return S3_ALL.filter((name) => given.has(name)).map((name) => `${name} is set, but FILE_STORAGE_BACKEND is not s3.`)
}

function checkPush({ VAPID_PUBLIC_KEY: publicKey, VAPID_PRIVATE_KEY: privateKey }: Env): string[] {
  if (!publicKey || !privateKey) return []
  const problem = ['VAPID_PUBLIC_KEY does not belong to VAPID_PRIVATE_KEY.']
  try {
    const pair = createECDH('prime256v1')
    pair.setPrivateKey(privateKey, 'base64url')
    return pair.getPublicKey('base64url') === publicKey ? [] : problem
  } catch {
    return problem
  }
}

const SECRET_MIN_LENGTH = 32
const TOKEN_MIN_LENGTH = 16

function checkProduction(env: Env, given: ReadonlySet<SettingName>): string[] {
  const problems: string[] = []
  if (!given.has('APP_SECRET')) problems.push('APP_SECRET is required in production.')
  else if (env.APP_SECRET) problems.push(...weaknesses(env.APP_SECRET).map((weakness) => `APP_SECRET ${weakness}.`))

  if (env.BOOTSTRAP_TOKEN && env.BOOTSTRAP_TOKEN.length < TOKEN_MIN_LENGTH) {
    problems.push(`BOOTSTRAP_TOKEN must have at least ${TOKEN_MIN_LENGTH} characters in production.`)
  }
  if (env.PUBLIC_URL && !env.PUBLIC_URL.startsWith('https:') && !isLoopback(new URL(env.PUBLIC_URL).hostname)) {
    problems.push('PUBLIC_URL must begin with https:// in production, unless its host is loopback.')
  }
  return problems
}

const PLACEHOLDER =
  /change.?(me|this|it)|replace.?(me|this|with)|your.?(app.?)?secret|placeholder|example|default|insecure/i

function weaknesses(secret: string): string[] {
  const found: string[] = []
  if (secret.length < SECRET_MIN_LENGTH) found.push(`must have at least ${SECRET_MIN_LENGTH} characters in production`)
  if (PLACEHOLDER.test(secret)) found.push('looks like a placeholder; it must be random in production')
  if (!isVaried(secret)) found.push('has too little variety; it must be random in production')
  return found
}

/** 32 random hexadecimal characters hold about 14 different ones; fewer than 10 is no accident, nor is a repetition. */
function isVaried(secret: string): boolean {
  const repeats = (secret + secret).indexOf(secret, 1) < secret.length
  const codes = Array.from(secret, (character) => character.codePointAt(0) ?? 0)
  const steps = codes.filter((code, index) => index > 0 && Math.abs(code - (codes[index - 1] ?? 0)) <= 1).length
  return new Set(codes).size >= 10 && !repeats && steps < secret.length / 2
}
