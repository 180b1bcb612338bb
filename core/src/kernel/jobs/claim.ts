import { fromNow, MINUTES, SECONDS } from '../clock.ts'
import type { Core } from '../core.ts'
import { newId } from '../ids.ts'

const CLAIM_MS = 60 * SECONDS
const RENEW_MS = CLAIM_MS / 3
/** No claim ends later than this, allowing for clocks that differ; one that does was made by a wrong clock. */
const FURTHEST_MS = 10 * MINUTES
const SAVE_MS = 1 * SECONDS

/** The exclusive right to run something, across processes. */
export interface Claimed {
  /** Where the previous run was interrupted; null: start at the beginning. */
  readonly position: string | null
  /** Throws when another process has taken over, or this core is closing. */
  assertGoesOn(): void
  /** Stores the progress; a process that dies loses at most a second of it. */
  save(position: string): Promise<void>
}

/** This core is closing; another process continues the work. */
export class Interrupted extends Error {
  constructor() {
    super('The core is being closed')
    this.name = 'Interrupted'
  }
}

/**
 * Runs `work` unless it runs already in any process; false when it does. The claim is a row that is renewed regularly
 * and holds no connection, so a pool of one suffices. It expires a minute after its process died.
 */
export async function claiming(core: Core, name: string, work: (claimed: Claimed) => Promise<void>): Promise<boolean> {
  const token = newId()
  const found = await claim(core, name, token)
  if (!found) return false
  let isLost = false
  let savedAt = performance.now()
  const keep = async (position?: string) => {
    if (!(await renew(core, name, token, position))) isLost = true
  }
  const timer = setInterval(() => {
    keep().catch((error: Error) => core.log.warn({ err: error, run: name }, 'a claim could not be renewed'))
  }, RENEW_MS)
  let end: 'done' | 'failed' | 'interrupted' = 'failed'
  try {
    await work({
      position: found.position,
      assertGoesOn() {
        if (core.stopping.aborted) throw new Interrupted()
        if (isLost) throw new Error(`${name} was taken over by another process`)
      },
      async save(position) {
        if (performance.now() - savedAt < SAVE_MS) return
        savedAt = performance.now()
        await keep(position)
      },
    })
    end = 'done'
  } catch (error) {
    if (error instanceof Interrupted) end = 'interrupted'
    throw error
  } finally {
    clearInterval(timer)
    await finish(core, name, token, end)
  }
  return true
}

async function claim(
  { db, clock }: Core,
  name: string,
  token: string,
): Promise<{ position: string | null } | undefined> {
  const [row] = await db.systemQuery<{ position: string | null }>(
    `insert into runs as r (name, claimed_by, claimed_until, done_at) values ($1, $2, $3, $4)
     on conflict (name) do update set claimed_by = excluded.claimed_by, claimed_until = excluded.claimed_until
       where r.claimed_by is null or r.claimed_until <= $4 or r.claimed_until > $5
     returning position`,
    [name, token, fromNow(clock, CLAIM_MS), clock.now(), fromNow(clock, FURTHEST_MS)],
  )
  return row
}

/** False when another process has the claim. */
async function renew({ db, clock }: Core, name: string, token: string, position?: string): Promise<boolean> {
  const rows = await db.systemQuery(
    `update runs set claimed_until = $3, position = coalesce($4, position) where name = $1 and claimed_by = $2 returning 1`,
    [name, token, fromNow(clock, CLAIM_MS), position ?? null],
  )
  return rows.length > 0
}

/** An interrupted run keeps a claim that has just expired, so that unfinished runs are found. */
async function finish({ db, clock }: Core, name: string, token: string, end: 'done' | 'failed' | 'interrupted') {
  const change = {
    done: 'claimed_by = null, claimed_until = null, position = null, done_at = $3',
    failed: 'claimed_by = null, claimed_until = null',
    interrupted: 'claimed_until = $3',
  }[end]
  await db.systemQuery(
    `update runs set ${change} where name = $1 and claimed_by = $2 and $3::timestamptz is not null`,
    [name, token, clock.now()],
  )
}
