import { sql, type Tx } from '#kernel'

/** Takes one of the trials that a person may have; false when they have had all of them. */
export async function upsertTrial(tx: Tx, userId: string, most: number): Promise<boolean> {
  if (most < 1) return false
  const taken = await tx
    .insertInto('person_trials')
    .values({ user_id: userId, trials: 1 })
    .onConflict((conflict) =>
      conflict
        .column('user_id')
        .doUpdateSet({ trials: sql`person_trials.trials + 1` })
        .where('person_trials.trials', '<', most),
    )
    .returning('user_id')
    .executeTakeFirst()
  return taken !== undefined
}

/** Gives a trial back that did not begin. */
export const updateTrialReturned = (tx: Tx, userId: string): Promise<unknown> =>
  tx.updateTable('person_trials').set({ trials: sql`trials - 1` }).where('user_id', '=', userId).execute()
