import { type Ctx, greatest, LEAST_ID, least, momentAt, timeOfId } from '#kernel'
import type { VerifiedAudit } from '../schema.ts'
import { type ChainWalk, reading, walkChain } from './chain-walk.ts'
import { badSeal, type Finding, INSERTED } from './check.ts'
import { readUnsealed } from './late-records.ts'
import { findGreatestHeight, listRecordsById } from './seal-queries.ts'
import { findSealedRange, type Period, type SealedRange } from './sealed-range.ts'

/** The result without its time. */
export type Verdict = Omit<VerifiedAudit, 'verified_at'>

/**
 * Checks the tenant's records against the chain of seals, or those of the blocks that a period touches. Yields after
 * each step and returns the result; no transaction is open and no records are kept between steps. Throws 400 for an
 * invalid time.
 */
export async function verifyRecords(ctx: Ctx, period: Period): Promise<AsyncGenerator<void, Verdict>> {
  // Read before the end of the chain: blocks sealed meanwhile then make the chain longer than this height, which is no
  // problem.
  const height = await reading(ctx)(findGreatestHeight)
  return verifyRange(ctx, await findSealedRange(ctx, period), height)
}

async function* verifyRange(ctx: Ctx, range: SealedRange | null, height: number): AsyncGenerator<void, Verdict> {
  if (!range) {
    const lost = height === 0 ? null : badSeal('The end of the chain is missing', null)
    return { valid: lost === null, checked: 0, first_invalid: shown(lost), sealed_until: null }
  }
  const walk = await walkChain(ctx, range)
  let found = yield* walk.run()
  if (!found && height > range.chain.height) found = badSeal(`The chain ends before block ${height}`, null)
  const first = (yield* findInserted(ctx, range, walk, found)) ?? found
  const sealedUntil = await findCreation(ctx, range.chain.sealed_to)
  return { valid: first === null, checked: walk.checked, first_invalid: shown(first), sealed_until: sealedUntil }
}

/** A record that is in no block although all records of its time are sealed, if it precedes the first finding. */
async function* findInserted(
  ctx: Ctx,
  { chain, from, before }: SealedRange,
  walk: ChainWalk,
  found: Finding | null,
): AsyncGenerator<void, Finding | null> {
  const start = greatest(LEAST_ID, walk.removedTo(), from)
  const complete = greatest(chain.complete_to, walk.completeTo())
  const end = least(complete, before, found && (found.record_id ?? walk.reached()))
  for await (const ids of readUnsealed(reading(ctx), { from: start, before: end })) {
    for (const id of ids)
      if (!(await walk.mayMiss(id))) return { problem: 'inserted', record_id: id, position: null, detail: INSERTED }
    yield
  }
  return null
}

/** When a record was created; for a removed one the time in its id. */
async function findCreation(ctx: Ctx, id: string): Promise<string> {
  const [row] = await reading(ctx)((tx, tenantId) => listRecordsById(tx, tenantId, [id]))
  return row?.created_at ?? momentAt(timeOfId(id))
}

function shown(found: Finding | null): VerifiedAudit['first_invalid'] {
  return (
    found && {
      problem: found.problem,
      record_id: found.record_id,
      position: found.position,
      detail: found.detail,
    }
  )
}
