import { type Ctx, DAYS, fromNow, isAhead, MINUTES, momentAfter, SECONDS } from '#kernel'
import type { SigningKeyRow } from '../table.ts'
import { CHALLENGE_TTL_SECONDS, IMPERSONATION_SECONDS } from './access-tokens.ts'
import { isAuthentic, macOf } from './authentic-keys.ts'
import { findNewestSigningKey, lockSigningKeys, updateSigningKeyRetired } from './key-queries.ts'
import { keyRing, warnOfKeys } from './key-ring.ts'
import { insertKey } from './signing-keys.ts'

/** How long a verifier may keep the published keys. */
export const JWKS_MAX_AGE_SECONDS = 300

// A new key is published for this long before it signs, so that everybody who keeps the published keys knows it by then.
const LEAD_MS = 2 * JWKS_MAX_AGE_SECONDS * SECONDS
// After a key's last token died it stays published for the clocks that run late and the processes that noticed late.
const LEEWAY_MS = 5 * MINUTES
/** A key signs for this long before the next one takes over. */
const KEY_AGE_MS = 30 * DAYS

/**
 * As the system role: makes a new key, which signs as soon as every verifier can know it, and retires the earlier ones when no token of
 * theirs is alive any more. `compromised`: the earlier keys are worth nothing from now on, and neither is any access
 * token signed with them; people's sessions go on by their refresh tokens. Of several processes that rotate at once one
 * does; the others notice within a minute.
 */
export async function rotateSigningKey(ctx: Ctx, options: Rotation = {}): Promise<void> {
  await succeed(ctx, await findNewestSigningKey(ctx.tx), options)
}

/** Rotates when the newest key is a month old, or was made by a clock that was wrong. */
export async function renewSigningKey(ctx: Ctx): Promise<void> {
  const newest = await findNewestSigningKey(ctx.tx)
  // One that is not made yet was made by a clock that was ahead, and would be the newest until then.
  const isDue = !newest || newest.created_at <= fromNow(ctx.clock, -KEY_AGE_MS) || isAhead(ctx.clock, newest.created_at)
  if (isDue) await succeed(ctx, newest, {})
}

interface Rotation {
  compromised?: boolean
}

/** The successor of exactly that key: of several that are made at once, the unique generation lets one be. */
async function succeed(ctx: Ctx, newest: SigningKeyRow | undefined, { compromised = false }: Rotation): Promise<void> {
  const generation = (newest?.generation ?? 0) + 1
  const startsAt = fromNow(ctx.clock, compromised ? 0 : LEAD_MS)
  if (!(await insertKey(ctx, generation, startsAt))) return
  const longestLifeMs =
    Math.max(ctx.config.tokens.accessTtlSeconds, CHALLENGE_TTL_SECONDS, IMPERSONATION_SECONDS) * SECONDS
  const retireAt = compromised ? startsAt : momentAfter(startsAt, longestLifeMs + LEEWAY_MS)
  await retireBefore(ctx, generation, retireAt)
  ctx.afterCommit(() => {
    ctx
      .use(keyRing)
      .reload()
      .catch((error: unknown) => warnOfKeys(ctx, error))
  })
}

/** Retires all keys older than that generation; one with an earlier date keeps it. */
async function retireBefore(ctx: Ctx, generation: number, retireAt: string): Promise<void> {
  for (const row of await lockSigningKeys(ctx.tx, generation, retireAt)) {
    const { mac, ...facts } = { ...row, retire_at: retireAt }
    // What was not genuine does not become so by being retired.
    const proof = isAuthentic(ctx, row) ? macOf(ctx, facts) : mac
    await updateSigningKeyRetired(ctx.tx, row.id, { retire_at: retireAt, mac: proof })
  }
}
