import { type AnswerListener, type Core, defineResource, fromNow, networkOf, SECONDS } from '#kernel'
import { normalizeEmail } from '../../users/index.ts'
import { accountKey } from '../sign-in/lockout.ts'
import { upsertRefusals } from './refusal-queries.ts'
import { placeOf, SERIES_MS } from './refusals.ts'

const FLUSH_MS = 20 * SECONDS
/** Accounts and places counted at a time; what comes beyond them is not noted: a flood must not become one of rows. */
const MOST_COUNTED = 1_000

interface Limited {
  account: string
  place: string
  attempts: number
  first_at: string
  last_at: string
  ip_address: string | null
}

/** Sign-ins that this process refused because there were too many, since that was last written down. */
export interface LimitedSignIns {
  /** Notes one, in memory. */
  note(email: string, address: string | null): void
  /** Writes what was noted so far. A failure is logged. */
  flush(): Promise<void>
  close(): Promise<void>
}

/** Written every 20 seconds: what refuses a flood must not write for each of it. `kill -9` loses what came since. */
export const limitedSignIns = defineResource<LimitedSignIns>({
  name: 'auth.limited_sign_ins',
  create: (core) => createLimited(core),
  close: (limited) => limited.close(),
})

/** Notes for which account there were too many requests. */
export const noteLimited: AnswerListener = (core, { status, address, limitedAccount }) => {
  if (status === 429 && limitedAccount !== null) core.use(limitedSignIns).note(limitedAccount, address)
}

function createLimited(core: Core): LimitedSignIns {
  let counted = new Map<string, Limited>()
  let writing = Promise.resolve()
  const flush = () => {
    writing = writing.then(async () => {
      const taken = [...counted.values()]
      counted = new Map()
      await write(core, taken).catch((error: Error) => {
        core.log.warn({ err: error, accounts: taken.length }, 'sign-ins that were limited could not be noted')
      })
    })
    return writing
  }
  const timer = setInterval(() => void flush(), FLUSH_MS)
  timer.unref()
  return {
    note(email, address) {
      const account = accountKey(normalizeEmail(email) ?? email)
      const place = placeOf(networkOf(address, { v4: 32, v6: 64 }))
      const [key, now] = [`${account} ${place}`, core.clock.now()]
      const known = counted.get(key)
      if (known) Object.assign(known, { attempts: known.attempts + 1, last_at: now, ip_address: address })
      else if (counted.size < MOST_COUNTED)
        counted.set(key, { account, place, attempts: 1, first_at: now, last_at: now, ip_address: address })
    },
    flush,
    close: async () => {
      clearInterval(timer)
      await flush()
    },
  }
}

async function write({ db, clock }: Core, limited: readonly Limited[]): Promise<void> {
  if (limited.length === 0) return
  const rows = limited.map((each) => ({ ...each, reason: 'rate_limited' as const, device: null })) // a word
  // In one order, so that two processes wait for each other and do not meet crosswise.
  rows.sort((a, b) => (`${a.account} ${a.place}` < `${b.account} ${b.place}` ? -1 : 1))
  await db.transaction({ tenantId: null, role: 'app' }, (tx) => upsertRefusals(tx, rows, fromNow(clock, -SERIES_MS)))
}
