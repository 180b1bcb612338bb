import { type Insertable, sql, type Tx } from '#kernel'
import type { SignInRefusalTable } from '../table.ts'

/** One more of a kind from a place, or several; what was before `since` is another story. */
export const upsertRefusals = (
  tx: Tx,
  refusals: readonly Insertable<SignInRefusalTable>[],
  since: string,
): Promise<unknown> => {
  const isOld = sql<boolean>`sign_in_refusals.last_at < ${since}`
  return tx
    .insertInto('sign_in_refusals')
    .values([...refusals])
    .onConflict((same) =>
      same.columns(['account', 'reason', 'place']).doUpdateSet((eb) => ({
        attempts: sql<number>`excluded.attempts + case when ${isOld} then 0 else sign_in_refusals.attempts end`,
        first_at: sql<string>`case when ${isOld} then excluded.first_at else sign_in_refusals.first_at end`,
        last_at: sql<string>`greatest(excluded.last_at, sign_in_refusals.last_at)`,
        device: eb.ref('excluded.device'),
        ip_address: eb.ref('excluded.ip_address'),
      })),
    )
    .execute()
}

/** Those of an account since then, the newest first. */
export const listRefusals = (tx: Tx, account: string, since: string, limit: number) =>
  tx
    .selectFrom('sign_in_refusals')
    .select(['reason', 'attempts', 'first_at', 'last_at', 'device', 'ip_address'])
    .where('account', '=', account)
    .where('last_at', '>=', since)
    .orderBy('last_at', 'desc')
    .limit(limit)
    .execute()

export const deleteRefusalsBefore = (tx: Tx, before: string): Promise<unknown> =>
  tx.deleteFrom('sign_in_refusals').where('last_at', '<', before).execute()
