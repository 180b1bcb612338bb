import { prepared, sql, type Tx } from '#kernel'
import type { LoginFailureRow } from '../table.ts'

export const listFailures = prepared((tx: Tx, keys: readonly string[]) =>
  tx.selectFrom('login_failures').selectAll().where('key', '=', sql<string>`any(${keys}::text[])`),
)

/** The counters of an account, those that end last first. */
export const listFailuresOf = (tx: Tx, account: string): Promise<LoginFailureRow[]> =>
  tx
    .selectFrom('login_failures')
    .selectAll()
    .where('account', '=', account)
    .orderBy('window_ends_at', 'desc')
    .limit(MOST_COUNTERS)
    .execute()

/** Of guesses from more places than these nobody needs to know. */
const MOST_COUNTERS = 100

/** A counting window. One that ends later than any window can was opened by a wrong clock and is ignored. */
export interface Window {
  now: string
  endsAt: string
  /** The latest end that a window opened now can have, allowing for clocks that differ. */
  latest: string
}

const isClosed = ({ now, latest }: Window) =>
  sql<boolean>`(login_failures.window_ends_at <= ${now} or login_failures.window_ends_at > ${latest})`

/** Counts a failure under each key; a closed window starts again. */
export const upsertFailures = (
  tx: Tx,
  counted: readonly { key: string; account: string | null }[],
  window: Window,
): Promise<LoginFailureRow[]> =>
  tx
    .insertInto('login_failures')
    .values(counted.map((each) => ({ ...each, failures: 1, window_ends_at: window.endsAt, next_at: null })))
    .onConflict((conflict) =>
      conflict.column('key').doUpdateSet({
        failures: sql`case when ${isClosed(window)} then 1 else login_failures.failures + 1 end`,
        window_ends_at: sql`case when ${isClosed(window)} then excluded.window_ends_at else login_failures.window_ends_at end`,
      }),
    )
    .returningAll()
    .execute()

/** After `free` failures each further guess has to wait, twice as long each time. */
export interface Delay {
  free: number
  firstMs: number
  longestMs: number
}

/**
 * Counts a failure that was not too early and sets when the next may come. Undefined when it was too early: of
 * simultaneous guesses no more are counted than may be answered.
 */
export const upsertDelayed = (
  tx: Tx,
  { key, account }: { key: string; account: string | null },
  window: Window,
  delay: Delay,
): Promise<LoginFailureRow | undefined> => {
  const failures = sql<number>`case when ${isClosed(window)} then 1 else login_failures.failures + 1 end`
  return tx
    .insertInto('login_failures')
    .values({
      key,
      account,
      failures: 1,
      window_ends_at: window.endsAt,
      next_at: nextAt(sql<number>`1`, window.now, delay),
    })
    .onConflict((conflict) =>
      conflict
        .column('key')
        .doUpdateSet({
          failures,
          window_ends_at: sql`excluded.window_ends_at`,
          next_at: nextAt(failures, window.now, delay),
        })
        .where(sql<boolean>`(login_failures.next_at is null or login_failures.next_at <= ${window.now} or
          ${isClosed(window)})`),
    )
    .returningAll()
    .executeTakeFirst()
}

function nextAt(failures: ReturnType<typeof sql<number>>, now: string, { free, firstMs, longestMs }: Delay) {
  const doublings = sql`least((${failures}) - ${free}::integer, 30)`
  const ms = sql`least(${longestMs}::float8, ${firstMs}::float8 * 2 ^ ${doublings})`
  return sql<string | null>`case when (${failures}) >= ${free}::integer
    then ${now}::timestamptz + ${ms} * interval '1 millisecond' end`
}

/** Deletes and returns the counters of these keys. */
export const deleteFailures = (tx: Tx, keys: readonly string[]): Promise<LoginFailureRow[]> =>
  tx.deleteFrom('login_failures').where('key', '=', sql<string>`any(${keys}::text[])`).returningAll().execute()

/** Deletes all counters of an account. */
export const deleteFailuresOf = (tx: Tx, account: string): Promise<unknown> =>
  tx.deleteFrom('login_failures').where('account', '=', account).execute()

/** Subtracts failures that turned out to be the person's own. */
export const updateFailuresTaken = (
  tx: Tx,
  key: string,
  { failures, free }: { failures: number; free: number },
): Promise<unknown> =>
  tx
    .updateTable('login_failures')
    .set({
      failures: sql`greatest(failures - ${failures}::integer, 0)`,
      next_at: sql`case when failures - ${failures}::integer >= ${free}::integer then next_at end`,
    })
    .where('key', '=', key)
    .execute()

/** Deletes counters whose window has closed. */
export const deleteClosedFailures = (tx: Tx, now: string): Promise<unknown> =>
  tx.deleteFrom('login_failures').where('window_ends_at', '<', now).execute()

/** The person with that address if they have signed in from this device. Takes the same work when there is none. */
export const findUserOnDevice = (tx: Tx, email: string, fingerprint: string): Promise<{ id: string } | undefined> =>
  tx
    .selectFrom('users')
    .innerJoin('known_devices', 'known_devices.user_id', 'users.id')
    .select('users.id')
    .where('users.email_normalized', '=', email)
    .where('known_devices.fingerprint', '=', fingerprint)
    .executeTakeFirst()
