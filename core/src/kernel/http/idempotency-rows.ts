import { sql } from 'kysely'
import type { Ctx } from '../context.ts'

/** What a kept answer is sealed for. */
export const sealContext = (id: string) => `idempotency_key:${id}`

export interface KeyRow {
  id: string
  created_at: string
  request_hash: string
  claim: string
  claimed_until: string | null
  status: number | null
  answer: string | null
}

/** The rows of the tenant's keys or, for null, of those outside of any tenant. */
export function keysOf(tenantId: string | null) {
  // A tenant's table has all the columns of the other, and its own.
  const table = (tenantId === null ? 'global_idempotency_keys' : 'idempotency_keys') as 'global_idempotency_keys'
  const own = tenantId === null ? sql<boolean>`true` : sql<boolean>`tenant_id = ${tenantId}`
  const owner = tenantId === null ? {} : { tenant_id: tenantId }
  return {
    insert: async ({ tx }: Ctx, row: KeyRow) => {
      const query = tx.insertInto(table).values({ ...owner, ...row })
      return (await query.onConflict((c) => c.doNothing()).executeTakeFirst()).numInsertedOrUpdatedRows === 1n
    },
    lock: ({ tx }: Ctx, id: string) =>
      tx.selectFrom(table).selectAll().where(own).where('id', '=', id).forUpdate().executeTakeFirst(),
    update: async ({ tx }: Ctx, id: string, claim: string, change: Partial<KeyRow>) => {
      const query = tx.updateTable(table).set(change).where(own).where('id', '=', id)
      return (await query.where('claim', '=', claim).executeTakeFirst()).numUpdatedRows === 1n
    },
    find: ({ tx }: Ctx, ids: readonly string[], since: string) =>
      tx
        .selectFrom(table)
        .selectAll()
        .where(own)
        .where(sql<boolean>`id = any(${ids}::uuid[])`)
        .where('created_at', '>=', since)
        .executeTakeFirst(),
    release: async ({ tx }: Ctx, id: string, claim: string) => {
      const query = tx.deleteFrom(table).where(own).where('id', '=', id)
      await query.where('claim', '=', claim).where('answer', 'is', null).execute()
    },
  }
}
