import {
  type Answer,
  atQuery,
  type Ctx,
  type FieldProblem,
  invalidRequest,
  type StreamBody,
  type Unchecked,
} from '#kernel'
import { fileAnswer } from '../export.ts'
import { presentRecord } from '../present.ts'
import { Filters, type Format } from '../schema.ts'
import { unpackEntries } from './chain.ts'
import { reading } from './chain-walk.ts'
import { checkpointKeys } from './checkpoint-keys.ts'
import { writeSeal } from './seal-lines.ts'
import type { SealedBlock } from './seal-queries.ts'
import { readBatches } from './sealed-batches.ts'
import { findRemoval, findSealedRange, type SealedRange } from './sealed-range.ts'

/** A `checkQuery` for routes: parameters that an export with proof cannot be combined with. */
export function* checkProof(query: Unchecked<Filters & { format: Format; proof: boolean }>): Generator<FieldProblem> {
  if (query.proof !== true) return
  for (const name of NARROWING)
    if (query[name] !== undefined) yield atQuery(name, 'cannot be given with proof: what is left out would be missing')
  if (query.format !== 'ndjson') yield atQuery('format', 'must be ndjson with proof')
}

const { from: _, to: __, ...narrowing } = Filters.properties
const NARROWING = Object.keys(narrowing) as (keyof typeof narrowing)[] // the names of its own fields

/**
 * A file of sealed records in sealed order with their seals: the whole blocks that the period touches. Throws 400 for
 * other filters or formats.
 */
export async function exportProof(ctx: Ctx, filters: Filters, format: Format): Promise<Answer<StreamBody>> {
  const errors = [...checkProof({ ...filters, format, proof: true })]
  if (errors.length > 0) throw invalidRequest({ errors })
  const { from, to } = filters
  const range = await findSealedRange(ctx, { from, to })
  return fileAnswer(ctx, { format, filters: { ...filters }, proof: true }, writeProof(ctx, range))
}

/** Blocks between two heights in the file format: the records of each block in sealed order, then its seal. */
export async function* writeProof(ctx: Ctx, range: Pick<SealedRange, 'first' | 'last'> | null): AsyncGenerator<Buffer> {
  if (!range) return
  let removal = await findRemoval(ctx)
  if (removal) yield Buffer.from(line(ctx, 'removal', removal))
  for await (const { blocks, rows } of readBatches(reading(ctx), { from: range.first, to: range.last })) {
    let piece = ''
    for (const block of blocks) {
      const ids = unpackEntries(block.entries).map(({ id }) => id)
      const records = ids.flatMap((id) => rows.get(id) ?? [])
      // Retention may have removed more: a checker must read the removal before the gap.
      const latest = records.length === ids.length ? removal : await findRemoval(ctx)
      if (latest && latest.height !== removal?.height) piece += line(ctx, 'removal', latest)
      removal = latest
      for (const row of records) piece += `${JSON.stringify(presentRecord(row))}\n`
      piece += line(ctx, 'seal', block)
    }
    yield Buffer.from(piece)
  }
}

function line(ctx: Ctx, kind: 'seal' | 'removal', block: SealedBlock): string {
  const key = ctx.use(checkpointKeys).all.find(({ key_id }) => key_id === block.key_id)
  return `${JSON.stringify({ [kind]: writeSeal(block, key) })}\n`
}
