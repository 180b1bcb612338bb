import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { hash as argon2Hash, verify as argon2Verify, parseOptions } from '@node-rs/argon2'
import { createWorkQueue } from '#kernel'
import { type ForeignHash, isForeign, readForeignHash } from './foreign-hashes.ts'
import { matchesForeign } from './match-foreign.ts'

/** argon2id (the library's default kind): memory in KiB, passes, lanes. Raising one makes older hashes ask for a rehash. */
const COST: PasswordCost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

export interface PasswordCost {
  readonly memoryCost: number
  readonly timeCost: number
  readonly parallelism: number
}

/** Longest password that is hashed, in UTF-8 bytes as given. Beyond it nothing matches. */
export const PASSWORD_MAX_BYTES = 1024

/** The queue is full. Nothing was computed; a later attempt may succeed. */
export class PasswordQueueFull extends Error {
  override name = 'PasswordQueueFull'

  constructor() {
    super('Too many passwords are being checked at the moment')
  }
}

/** Outcome of a check; `rehash` only ever accompanies `ok` and asks the caller to store a new hash. */
export interface PasswordVerdict {
  readonly ok: boolean
  readonly rehash: boolean
}

/** Hashes and checks passwords off the event loop, a few at a time. */
export interface PasswordHasher {
  /** @throws PasswordQueueFull, or RangeError when the password is longer than `PASSWORD_MAX_BYTES` */
  hash(password: string): Promise<string>
  /** Takes imported hashes too, which always ask for a new one. @throws PasswordQueueFull, or Error when the stored hash is none */
  verify(hash: string, password: string): Promise<PasswordVerdict>
  /** Takes as long as `verify` and always says no: for accounts that do not exist. @throws PasswordQueueFull */
  verifyNothing(password: string): Promise<PasswordVerdict>
  /** Refuses further work (PasswordQueueFull) and resolves when all accepted work is done. */
  close(): Promise<void>
}

export interface PasswordHasherOptions {
  /** Computations at the same time. Default: the cores, at most 3. Each takes 19 MiB; an imported hash up to 128. */
  concurrency?: number
  /** How many may wait beyond those; further ones are refused at once. Default: 100. */
  queueLimit?: number
  /** Default: what has to withstand guessing. Only tests, whose passwords protect nothing, may take less. */
  cost?: PasswordCost
}

/** Makes a hasher; its memory is bounded by `concurrency` and by `queueLimit` waiting passwords. */
export function createPasswordHasher(options: PasswordHasherOptions = {}): PasswordHasher {
  const { concurrency = defaultConcurrency(), queueLimit = 100, cost = COST } = options
  const queue = createWorkQueue({ concurrency, waiting: queueLimit, full: () => new PasswordQueueFull() })
  const dummyHash = hashOfNothing(cost)

  const verifyNothing = async (password: string): Promise<PasswordVerdict> => {
    const bytes = encodePassword(password)
    await queue.run(() => argon2Verify(dummyHash, bytes ?? ''))
    return { ok: false, rehash: false }
  }

  const verifyForeign = async (hash: ForeignHash, password: string): Promise<PasswordVerdict> => {
    const bytes = isTooLong(password) ? undefined : Buffer.from(password)
    const matches = await queue.run(() => matchesForeign(hash, bytes ?? Buffer.alloc(0)))
    // A right one is hashed anew. A wrong one costs as much, and so no less than that of an account that is not there.
    if (!matches || bytes === undefined) return verifyNothing(password)
    return { ok: true, rehash: true }
  }

  return {
    async hash(password) {
      const bytes = encodePassword(password)
      if (!bytes) throw new RangeError(`A password has at most ${PASSWORD_MAX_BYTES} bytes`)
      return queue.run(() => argon2Hash(bytes, cost))
    },
    async verify(hash, password) {
      if (isForeign(hash))
        return verifyForeign(
          readable(() => readForeignHash(hash)),
          password,
        )
      const rehash = isOutdated(hash, cost)
      const bytes = encodePassword(password)
      const matches = await queue.run(() => argon2Verify(hash, bytes ?? ''))
      const ok = matches && bytes !== undefined
      return { ok, rehash: ok && rehash }
    },
    verifyNothing,
    close: queue.close,
  }
}

/** The hash of no known password: whoever holds one against it waits as long as for anybody's. */
function hashOfNothing({ memoryCost, timeCost, parallelism }: PasswordCost): string {
  const [salt, hash] = [16, 32].map((bytes) => randomBytes(bytes).toString('base64').replace(/=+$/, ''))
  return `$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}$${salt}$${hash}`
}

/** argon2 runs on libuv's four threads, of which file and DNS work need one. */
function defaultConcurrency(): number {
  return Math.min(3, availableParallelism())
}

/**
 * Normalises, so that one password typed on two keyboards gives the same bytes; undefined when it is longer than any
 * accepted password.
 */
function encodePassword(password: string): Buffer | undefined {
  // Checked before normalising, which can make a text eighteen times longer.
  return isTooLong(password) ? undefined : Buffer.from(password.normalize('NFKC'))
}

const isTooLong = (password: string) => Buffer.byteLength(password) > PASSWORD_MAX_BYTES

function isOutdated(hash: string, cost: PasswordCost): boolean {
  const { memoryCost, timeCost, parallelism } = readable(() => parseOptions(hash))
  return memoryCost < cost.memoryCost || timeCost < cost.timeCost || parallelism < cost.parallelism
}

function readable<T>(read: () => T): T {
  try {
    return read()
  } catch {
    // What went wrong may repeat the hash.
    throw new Error('A stored password hash cannot be read')
  }
}
