import { type Insertable, json, notFound, type SweepPage, sql, type Tx, type Updateable } from '#kernel'
import type { DomainRow, MailDomainClaimTable, MailDomainTable } from './table.ts'

type DomainKey = Pick<DomainRow, 'tenant_id' | 'id'>
export type DomainChange = Omit<Updateable<MailDomainTable>, keyof DomainKey>

const selectDomain = (tx: Tx, tenantId: string) =>
  tx.selectFrom('mail_domains').selectAll().where('tenant_id', '=', tenantId)

/** Undefined when the tenant has none. */
export const findDomain = (tx: Tx, tenantId: string): Promise<DomainRow | undefined> =>
  selectDomain(tx, tenantId).executeTakeFirst()

/** Throws 404 when the tenant has none. */
export const getDomain = (tx: Tx, tenantId: string): Promise<DomainRow> =>
  selectDomain(tx, tenantId).executeTakeFirstOrThrow(() => notFound())

/** Locks the row until the transaction ends; undefined when the tenant has none. */
export const lockDomain = (tx: Tx, tenantId: string): Promise<DomainRow | undefined> =>
  selectDomain(tx, tenantId).forNoKeyUpdate().executeTakeFirst()

/** Waits for a transaction that is inserting the tenant's; undefined when there is one already. */
export const insertDomain = (tx: Tx, row: Insertable<MailDomainTable>): Promise<DomainRow | undefined> =>
  tx
    .insertInto('mail_domains')
    .values({ ...row, seen: json(row.seen) })
    .onConflict((taken) => taken.columns(['tenant_id']).doNothing())
    .returningAll()
    .executeTakeFirst()

export const updateDomain = (
  tx: Tx,
  { tenant_id, id }: DomainKey,
  { seen, ...change }: DomainChange,
): Promise<DomainRow> =>
  tx
    .updateTable('mail_domains')
    .set({ ...change, ...(seen && { seen: json(seen) }) })
    .where('tenant_id', '=', tenant_id)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()

export const deleteDomain = (tx: Tx, tenantId: string): Promise<DomainRow | undefined> =>
  tx.deleteFrom('mail_domains').where('tenant_id', '=', tenantId).returningAll().executeTakeFirst()

/**
 * Takes the domain for the tenant, unless another one has it whose challenge DNS still shows (`shown`: the hashes of all
 * that it shows). Of simultaneous transactions one succeeds.
 */
export async function upsertClaim(tx: Tx, claim: MailDomainClaimTable, shown: readonly string[]): Promise<boolean> {
  const taken = await tx
    .insertInto('mail_domain_claims')
    .values(claim)
    .onConflict((same) =>
      same
        .column('domain')
        .doUpdateSet((eb) => ({
          tenant_id: eb.ref('excluded.tenant_id'),
          challenge_hash: eb.ref('excluded.challenge_hash'),
          claimed_at: eb.ref('excluded.claimed_at'),
        }))
        .where((eb) =>
          eb.or([
            eb('mail_domain_claims.tenant_id', '=', claim.tenant_id),
            eb.not(eb('mail_domain_claims.challenge_hash', 'in', shown)),
          ]),
        ),
    )
    .returning('domain')
    .executeTakeFirst()
  return taken !== undefined
}

/** Gives up what the tenant has; returns how many that were. */
export async function deleteClaims(tx: Tx, tenantId: string): Promise<number> {
  const gone = await tx.deleteFrom('mail_domain_claims').where('tenant_id', '=', tenantId).executeTakeFirstOrThrow()
  return Number(gone.numDeletedRows)
}

/** The tenant's domain, if mails may come from it: it is verified, and no other tenant has taken it since. */
export const findSendingDomain = (tx: Tx, tenantId: string): Promise<DomainRow | undefined> =>
  tx
    .selectFrom('mail_domains as d')
    .innerJoin('mail_domain_claims as c', (join) =>
      join.onRef('c.domain', '=', 'd.domain').onRef('c.tenant_id', '=', 'd.tenant_id'),
    )
    .selectAll('d')
    .where('d.tenant_id', '=', tenantId)
    .where('d.status', '=', sql.lit('verified'))
    .executeTakeFirst()

/** Across tenants, by id after a given one: those whose domain is to be looked at. */
export async function listTenantsDue(tx: Tx, { now, after, limit }: SweepPage & { now: string }) {
  const query = tx
    .selectFrom('mail_domains as d')
    .innerJoin('tenants as t', 't.id', 'd.tenant_id')
    .select('d.tenant_id')
    .where('d.next_check_at', '<=', now)
    .where('t.status', '<>', sql.lit('deleted'))
    .orderBy('d.tenant_id')
    .limit(limit)
  return (after === null ? query : query.where('d.tenant_id', '>', after)).execute()
}
