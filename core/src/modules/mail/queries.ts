import { sql, type Tx } from '#kernel'
import type {} from './table.ts'

export interface Pause {
  key: string
  now: string
  /** `now` plus the length of the pause. */
  ends_at: string
  /** A pause that ends later than this was started by a wrong clock and is ignored. */
  latest: string
}

/** Starts a pause; false while there is one. Of simultaneous transactions one succeeds. */
export async function insertPause(tx: Tx, { key, now, ends_at, latest }: Pause): Promise<boolean> {
  const begun = await tx
    .insertInto('mail_pauses')
    .values({ key, ends_at })
    .onConflict((same) =>
      same
        .column('key')
        .doUpdateSet((eb) => ({ ends_at: eb.ref('excluded.ends_at') }))
        .where((eb) => eb.or([eb('mail_pauses.ends_at', '<=', now), eb('mail_pauses.ends_at', '>', latest)])),
    )
    .returning('key')
    .executeTakeFirst()
  return begun !== undefined
}

/** Starts a pause, replacing an existing one. */
export const upsertPause = (tx: Tx, { key, ends_at }: Pause): Promise<unknown> =>
  tx
    .insertInto('mail_pauses')
    .values({ key, ends_at })
    .onConflict((same) => same.column('key').doUpdateSet((eb) => ({ ends_at: eb.ref('excluded.ends_at') })))
    .execute()

/** Adds a pause after the existing one and returns when both have ended. */
export async function upsertNextPause(tx: Tx, { key, now, ends_at, latest }: Pause, lengthMs: number): Promise<string> {
  const { ends_at: end } = await tx
    .insertInto('mail_pauses')
    .values({ key, ends_at })
    .onConflict((same) =>
      same.column('key').doUpdateSet({
        ends_at: sql`greatest(case when mail_pauses.ends_at <= ${latest} then mail_pauses.ends_at end, ${now}) + ${lengthMs}::double precision * interval '1 millisecond'`,
      }),
    )
    .returning('ends_at')
    .executeTakeFirstOrThrow()
  return end
}

export const deletePause = (tx: Tx, key: string): Promise<unknown> =>
  tx.deleteFrom('mail_pauses').where('key', '=', key).execute()

export const deletePausesBefore = (tx: Tx, now: string): Promise<unknown> =>
  tx.deleteFrom('mail_pauses').where('ends_at', '<=', now).execute()
