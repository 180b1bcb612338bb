import { type Insertable, json, type Tx } from '#kernel'
import type { BootstrapRow, SigningKeyRow, SigningKeyTable } from '../table.ts'

/** The keys that are not retired at `now`, oldest first. */
export const listSigningKeys = (tx: Tx, now: string): Promise<SigningKeyRow[]> =>
  tx
    .selectFrom('signing_keys')
    .selectAll()
    .where((eb) => eb.or([eb('retire_at', 'is', null), eb('retire_at', '>', now)]))
    .orderBy('generation')
    .execute()

export const findNewestSigningKey = (tx: Tx): Promise<SigningKeyRow | undefined> =>
  tx.selectFrom('signing_keys').selectAll().orderBy('generation', 'desc').limit(1).executeTakeFirst()

/** False when that generation exists already. */
export async function insertSigningKey(tx: Tx, key: Insertable<SigningKeyTable>): Promise<boolean> {
  const row = await tx
    .insertInto('signing_keys')
    .values({ ...key, public_jwk: json(key.public_jwk) })
    .onConflict((conflict) => conflict.column('generation').doNothing())
    .returning('id')
    .executeTakeFirst()
  return row !== undefined
}

/** The keys older than that generation that are not retired by then, kept from changing until the transaction ends. */
export const lockSigningKeys = (tx: Tx, generation: number, retireAt: string): Promise<SigningKeyRow[]> =>
  tx
    .selectFrom('signing_keys')
    .selectAll()
    .where('generation', '<', generation)
    .where((eb) => eb.or([eb('retire_at', 'is', null), eb('retire_at', '>', retireAt)]))
    .orderBy('generation')
    .forUpdate()
    .execute()

export const updateSigningKeyRetired = (
  tx: Tx,
  id: string,
  retired: Pick<SigningKeyRow, 'retire_at' | 'mac'>,
): Promise<unknown> => tx.updateTable('signing_keys').set(retired).where('id', '=', id).execute()

/** The row of the bootstrap, made when it is not there. */
export async function insertBootstrap(tx: Tx, row: Pick<BootstrapRow, 'token_hash' | 'created_at'>): Promise<boolean> {
  const inserted = await tx
    .insertInto('bootstraps')
    .values({ ...row, id: true, completed_at: null, user_id: null })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .returning('id')
    .executeTakeFirst()
  return inserted !== undefined
}

export const findBootstrap = (tx: Tx): Promise<BootstrapRow | undefined> =>
  tx.selectFrom('bootstraps').selectAll().where('id', '=', true).executeTakeFirst()

/** False when the bootstrap was completed before. */
export async function updateBootstrapCompleted(tx: Tx, userId: string, now: string): Promise<boolean> {
  const row = await tx
    .updateTable('bootstraps')
    .set({ completed_at: now, user_id: userId })
    .where('id', '=', true)
    .where('completed_at', 'is', null)
    .returning('id')
    .executeTakeFirst()
  return row !== undefined
}
