import { sql, type Tx } from '#kernel'

export async function findVerdict(tx: Tx, tenantId: string): Promise<string | null> {
  const row = await tx
    .selectFrom('audit_verifications')
    .select('verdict')
    .where('tenant_id', '=', tenantId)
    .where('id', '=', tenantId)
    .executeTakeFirst()
  return row?.verdict ?? null
}

/** Who checks, since when and until when. */
export interface VerifyingLease {
  locked_by: string
  now: string
  locked_until: string
  /** A lease that ends later than this was taken by a wrong clock. */
  furthest: string
}

/** False while somebody else checks. */
export async function insertVerification(tx: Tx, tenantId: string, lease: VerifyingLease): Promise<boolean> {
  const { now, furthest, ...lock } = lease
  const row = await tx
    .insertInto('audit_verifications')
    .values({ tenant_id: tenantId, id: tenantId, verdict: null, created_at: now, updated_at: now, ...lock })
    .onConflict((same) =>
      same
        .columns(['tenant_id', 'id'])
        .doUpdateSet((eb) => ({
          locked_by: eb.ref('excluded.locked_by'),
          locked_until: eb.ref('excluded.locked_until'),
        }))
        .where(
          sql<boolean>`audit_verifications.locked_until is null or audit_verifications.locked_until <= ${now} or audit_verifications.locked_until > ${furthest}`,
        ),
    )
    .returning('locked_by')
    .executeTakeFirst()
  return row !== undefined
}

/** Changes the row while the token holds it. */
export const updateVerification = (
  tx: Tx,
  tenantId: string,
  lockedBy: string,
  change: { locked_by?: null; locked_until: string | null; verdict?: string; updated_at?: string },
): Promise<unknown> =>
  tx
    .updateTable('audit_verifications')
    .set(change)
    .where('tenant_id', '=', tenantId)
    .where('locked_by', '=', lockedBy)
    .execute()
