import { ConfigError, type Core, type Ctx, equalSecrets, hashToken, randomToken } from '#kernel'
import { emailTaken } from '../../users/index.ts'
import { alreadyBootstrapped } from '../errors.ts'
import { bootstrapped } from '../events.ts'
import { hashPassword } from '../passwords/hash.ts'
import { findAccountByEmail } from '../queries.ts'
import { requestVerification } from '../recovery/verify-email.ts'
import type { Bootstrap, SignInAnswer } from '../schema.ts'
import { findBootstrap, insertBootstrap, updateBootstrapCompleted } from '../tokens/key-queries.ts'
import { actorOf, completeSignIn } from './complete-sign-in.ts'
import { attemptFrom, requireNotLocked } from './lockout.ts'
import { createAccount, requireSound } from './register.ts'
import { recordFailure } from './sign-in.ts'

/** The application role cannot make a super admin or read the token; only the system role can. */
const OF_THE_INSTALLATION = { role: 'system', tenantId: null } as const // a literal of TransactionOptions

/**
 * Makes the token for the first super admin, unless BOOTSTRAP_TOKEN gives one. Returns it once; null when it was
 * returned before, was given, or the first super admin exists. Setting BOOTSTRAP_TOKEN replaces a lost one.
 */
export async function ensureBootstrapToken(core: Core): Promise<string | null> {
  if (core.config.bootstrapToken !== null || core.config.env === 'production') return null
  const token = randomToken()
  const row = { token_hash: hashToken(token), created_at: core.clock.now() }
  return (await core.run(({ tx }) => insertBootstrap(tx, row), OF_THE_INSTALLATION)) ? token : null
}

/**
 * Throws in production while there is no super admin and BOOTSTRAP_TOKEN is not set: a generated token would have to be
 * printed into a log that others read.
 */
export async function requireBootstrapSetting({ config, run }: Core): Promise<void> {
  if (config.env !== 'production' || config.bootstrapToken !== null) return
  const row = await run(({ tx }) => findBootstrap(tx), OF_THE_INSTALLATION)
  if (row?.completed_at) return
  throw new ConfigError([
    'BOOTSTRAP_TOKEN is required in production until the first super admin exists: the output of `openssl rand -base64 24`, say.',
  ])
}

/**
 * Makes the first super admin and signs them in, once. Throws 401 `invalid_credentials` for a wrong token, which counts
 * against the address it comes from, 409 `already_bootstrapped` and `email_taken`.
 */
export async function bootstrap(ctx: Ctx, input: Bootstrap, inCookie: boolean): Promise<SignInAnswer> {
  await requireBootstrapToken(ctx, input.bootstrap_token)
  const email = requireSound(ctx, input, [input.name])
  const known = await ctx.transaction((ctx) => findCandidate(ctx, email), { tenantId: null })
  const hash = await hashPassword(ctx, input.password)
  const userId = await ctx.transaction(async (ctx) => {
    const user = await createAccount(ctx, { email, name: input.name, hash, known, isSuperAdmin: true })
    const { tx, clock } = ctx
    await insertBootstrap(tx, { token_hash: null, created_at: clock.now() })
    if (!(await updateBootstrapCompleted(tx, user.id, clock.now()))) throw alreadyBootstrapped()
    await ctx.as(actorOf(user)).emit(bootstrapped, { id: user.id, label: user.name, after: {} })
    await requestVerification(ctx, user.id)
    return user.id
  }, OF_THE_INSTALLATION)
  return completeSignIn(ctx, { userId, method: 'bootstrap', passwordHash: hash, inCookie })
}

async function requireBootstrapToken(ctx: Ctx, given: string): Promise<void> {
  const attempt = attemptFrom(ctx)
  const row = await ctx.transaction(async (ctx) => {
    const [row] = await Promise.all([findBootstrap(ctx.tx), requireNotLocked(ctx, attempt)])
    return row
  }, OF_THE_INSTALLATION)
  const { bootstrapToken } = ctx.config
  const expected = bootstrapToken === null ? row?.token_hash : hashToken(bootstrapToken)
  // Compares even without an expected token, so that the time reveals nothing.
  const isRight = equalSecrets(hashToken(given), expected ?? hashToken(randomToken()))
  if (!isRight) throw await recordFailure(ctx, { attempt, reason: 'wrong_bootstrap_token' })
  if (row?.completed_at) throw alreadyBootstrapped()
}

async function findCandidate(ctx: Ctx, email: string) {
  const account = await findAccountByEmail(ctx.tx, email)
  if (account && (account.passwordHash !== null || account.user.status !== 'active')) throw emailTaken()
  return account?.user
}
