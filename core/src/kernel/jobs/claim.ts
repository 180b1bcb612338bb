import { fromNow, MINUTES, SECONDS } from '../clock.ts'
import type { Core } from '../core.ts'
import { newId } from '../ids.ts'

const CLAIM_MS = 60 * SECONDS
const RENEW_MS = CLAIM_MS / 3
/** No claim reaches further, however much clocks differ: one that does was made by a clock that was wrong. */
const FURTHEST_MS = 10 * MINUTES
const SAVE_MS = 1 * SECONDS

/** The right to be the only one at something, in all processes. */
export interface Claimed {
  /** Where the one before was interrupted; null: begin at the beginning. */
  readonly position: string | null
  /** Throws when somebody else has taken over, or when this core is being closed. */
  assertGoesOn(): void
  /** Notes how far it has come: a process that dies has lost a second of that at most. */
  save(position: string): Promise<void>
}

/** This core is being closed: what was begun is gone on with by another process. */
export class Interrupted extends Error {
  constructor() {
    super('The core is being closed')
    this.name = 'Interrupted'
  }
}

/**
 * Runs `work` unless it runs already, in any process; false: it does. The claim is a row that is renewed and holds no
 * connection, so that a pool of one is enough; when the process dies, it is free after a minute.
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

/** False when somebody else has it by now. */
async function renew({ db, clock }: Core, name: string, token: string, position?: string): Promise<boolean> {
  const rows = await db.systemQuery(
    `update runs set claimed_until = $3, position = coalesce($4, position) where name = $1 and claimed_by = $2 returning 1`,
    [name, token, fromNow(clock, CLAIM_MS), position ?? null],
  )
  return rows.length > 0
}

/** What was interrupted stays claimed, until a moment ago: so whoever looks after unfinished runs finds it. */
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
