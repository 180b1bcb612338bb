import { type Core, type Ctx, defineResource, unavailable } from '#kernel'
import { createPasswordHasher, type PasswordHasher, PasswordQueueFull, type PasswordVerdict } from './hasher.ts'

/** Hashes passwords off the event loop, a few at a time: one per process. */
export const passwordHasher = defineResource<PasswordHasher>({
  name: 'auth.password_hasher',
  create: () => createPasswordHasher(),
  close: (hasher) => hasher.close(),
})

/** The least that argon2 takes. */
const NEXT_TO_NOTHING = { memoryCost: 8, timeCost: 1, parallelism: 1 }

/** Lets a core hash at next to no cost: for tests, whose passwords protect nothing. @throws Error outside of a test */
export function hashPasswordsCheaply(core: Core): void {
  if (core.config.env !== 'test') throw new Error('Passwords are hashed cheaply in tests alone (NODE_ENV=test)')
  Object.assign(core.use(passwordHasher), createPasswordHasher({ cost: NEXT_TO_NOTHING }))
}

const RETRY_SECONDS = 2

/**
 * Hashes a new password that has been found good. Takes tens of milliseconds, so not to be called inside a transaction.
 * Throws 503 when too many wait.
 */
export async function hashPassword(ctx: Ctx, password: string): Promise<string> {
  return whenNotFull(() => ctx.use(passwordHasher).hash(password))
}

/**
 * Hashes a correct password again with the current parameters. Null when the queue is full: that must not fail a
 * sign-in.
 */
export async function rehashPassword(ctx: Ctx, password: string): Promise<string | null> {
  try {
    return await ctx.use(passwordHasher).hash(password)
  } catch (error) {
    if (error instanceof PasswordQueueFull) return null
    throw error
  }
}

/** Checks a password. Without a hash it takes the same time and says no. Throws 503 when too many wait. */
export async function verifyPassword(ctx: Ctx, hash: string | null, password: string): Promise<PasswordVerdict> {
  const hasher = ctx.use(passwordHasher)
  return whenNotFull(() => (hash === null ? hasher.verifyNothing(password) : hasher.verify(hash, password)))
}

async function whenNotFull<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof PasswordQueueFull)) throw error
    throw unavailable({ cause: error, headers: { 'retry-after': String(RETRY_SECONDS) } })
  }
}
