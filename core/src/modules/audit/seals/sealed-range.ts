import type { Ctx } from '#kernel'
import { criteriaOf } from '../filters.ts'
import type { ChainRow } from '../table.ts'
import { checkSeal } from './check.ts'
import { checkpointKeys } from './checkpoint-keys.ts'
import { findChain, findHeightOf, findLastHeight, findSealedBlock, type SealedBlock } from './seal-queries.ts'

/** The requested period. */
export interface Period {
  from?: string
  to?: string
}

/** The blocks that a period touches: all heights from the first to the last, with all their records. */
export interface SealedRange {
  chain: ChainRow
  first: number
  last: number
  /** Bounds of the ids of the period; null: unbounded. */
  from: string | null
  before: string | null
}

/** Null without a chain. Throws 400 for an invalid time. */
export async function findSealedRange(ctx: Ctx, period: Period): Promise<SealedRange | null> {
  const criteria = criteriaOf(period)
  const [from, before] = [criteria.from?.id ?? null, criteria.before?.id ?? null]
  return ctx.transaction(
    async ({ tx, tenantId }) => {
      const chain = await findChain(tx, tenantId)
      if (!chain) return null
      const first = from === null ? 1 : ((await findHeightOf(tx, tenantId, from)) ?? chain.height + 1)
      const last = before === null ? chain.height : ((await findLastHeight(tx, tenantId, before)) ?? 0)
      return { chain, first, last: Math.min(last, chain.height), from, before }
    },
    { readOnly: true },
  )
}

/** The block that says which records retention may remove; null: none, or none with a valid signature. */
export async function findRemoval(ctx: Ctx): Promise<SealedBlock | null> {
  const block = await ctx.transaction(
    async ({ tx, tenantId }) => {
      const height = (await findChain(tx, tenantId))?.removal_height ?? null
      return height === null ? undefined : findSealedBlock(tx, tenantId, height)
    },
    { readOnly: true },
  )
  if (block?.kind !== 'removal') return null
  // A block of a secret that is no longer configured is vouched for by later blocks.
  const key = ctx.use(checkpointKeys).all.find(({ key_id }) => key_id === block.key_id)
  return checkSeal(block, null, key) ? null : block
}
