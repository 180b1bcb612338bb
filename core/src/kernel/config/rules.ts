import { isLoopback } from '../addresses/loopback.ts'
import { coverTheInternet } from '../addresses/wide-networks.ts'
import type { Env, SettingName } from './env.ts'

/** The rules between settings: half-set features, and what production demands. One sentence for each one broken. */
export function checkRules(env: Env, given: ReadonlySet<SettingName>): string[] {
  return [
    ...checkPairs(given),
    ...checkBucket(env, given),
    ...checkPorts(env),
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
  ['APP_SECRET_PREVIOUS', 'APP_SECRET', 'nothing would be sealed with a secret that is known'],
  ['S3_ENDPOINT', 'S3_BUCKET', 'files need a bucket'],
  ['S3_REGION', 'S3_BUCKET', 'files need a bucket'],
  ['S3_ACCESS_KEY_ID', 'S3_BUCKET', 'files need a bucket'],
  ['S3_SECRET_ACCESS_KEY', 'S3_BUCKET', 'files need a bucket'],
  ['S3_CHECKSUMS', 'S3_BUCKET', 'files need a bucket'],
  ['S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY', 'a key is of no use without its secret'],
  ['S3_SECRET_ACCESS_KEY', 'S3_ACCESS_KEY_ID', 'a secret is of no use without its key'],
]

function checkPairs(given: ReadonlySet<SettingName>): string[] {
  return NEEDS.filter(([name, needed]) => given.has(name) && !given.has(needed)).map(
    ([name, needed, why]) => `${name} is set, but ${needed} is not: ${why}.`,
  )
}

function checkBucket({ FILE_STORAGE_BACKEND }: Env, given: ReadonlySet<SettingName>): string[] {
  if (FILE_STORAGE_BACKEND === 's3' && !given.has('S3_BUCKET'))
    return ['FILE_STORAGE_BACKEND is s3, but S3_BUCKET is not set: files need a bucket.']
  const isPlaced = given.has('S3_ENDPOINT') || given.has('S3_REGION')
  return given.has('S3_BUCKET') && !isPlaced
    ? ['S3_BUCKET is set, but neither S3_ENDPOINT nor S3_REGION is: nothing says where the bucket is.']
    : []
}

function checkPorts({ PORT, WORKER_PORT }: Env): string[] {
  return PORT !== 0 && WORKER_PORT === PORT ? ['WORKER_PORT must not be PORT: the API answers there.'] : []
}

const SECRET_MIN_LENGTH = 32
const TOKEN_MIN_LENGTH = 16
const MOST_FACTOR = 10

function checkProduction(env: Env, given: ReadonlySet<SettingName>): string[] {
  const problems: string[] = []
  if (!given.has('APP_SECRET')) problems.push('APP_SECRET is required in production.')
  else if (env.APP_SECRET) problems.push(...weaknesses(env.APP_SECRET).map((weakness) => `APP_SECRET ${weakness}.`))

  if (env.BOOTSTRAP_TOKEN && env.BOOTSTRAP_TOKEN.length < TOKEN_MIN_LENGTH) {
    problems.push(`BOOTSTRAP_TOKEN must have at least ${TOKEN_MIN_LENGTH} characters in production.`)
  }
  if (env.BOOTSTRAP_TOKEN && !isVaried(env.BOOTSTRAP_TOKEN)) {
    problems.push('BOOTSTRAP_TOKEN has too little variety; it must be random in production.')
  }
  if (!given.has('PUBLIC_URL')) problems.push('PUBLIC_URL is required in production: links in mails begin with it.')
  else if (env.PUBLIC_URL && !env.PUBLIC_URL.startsWith('https:') && !isLoopback(new URL(env.PUBLIC_URL).hostname)) {
    problems.push('PUBLIC_URL must begin with https:// in production, unless its host is loopback.')
  }
  if (env.CORS_ORIGINS.some((origin) => !origin.startsWith('https:') && !isLoopback(new URL(origin).hostname))) {
    problems.push('CORS_ORIGINS must begin with https:// in production, unless their host is loopback.')
  }
  if (!given.has('SMTP_URL') && env.MAIL === 'on') {
    problems.push('SMTP_URL is required in production: mails would pile up on disk. MAIL=off does without any.')
  }
  if (env.RATE_LIMIT_FACTOR === 0) {
    problems.push('RATE_LIMIT_FACTOR must not be 0 in production: nothing would slow down who guesses passwords.')
  }
  if (env.RATE_LIMIT_FACTOR > MOST_FACTOR) {
    problems.push(`RATE_LIMIT_FACTOR must be at most ${MOST_FACTOR} in production: more slows nobody down.`)
  }
  for (const name of ['TRUSTED_PROXIES', 'OUTBOUND_ALLOW'] as const) {
    if (coverTheInternet(env[name])) {
      problems.push(`${name} covers a good part of the internet, which production refuses: name your own networks.`)
    }
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

/**
 * 32 random hexadecimal characters contain about 14 different ones. A secret with fewer than 10, or a repeated one, was
 * not drawn at random.
 */
function isVaried(secret: string): boolean {
  const repeats = (secret + secret).indexOf(secret, 1) < secret.length
  const codes = Array.from(secret, (character) => character.codePointAt(0) ?? 0)
  const steps = codes.filter((code, index) => index > 0 && Math.abs(code - (codes[index - 1] ?? 0)) <= 1).length
  return new Set(codes).size >= 10 && !repeats && steps < secret.length / 2
}
