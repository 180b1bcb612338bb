import { type Answer, type Ctx, type FieldProblem, invalidRequest, type StreamBody } from '#kernel'
import { fileAnswer } from '../exporting.ts'
import { presentRecord } from '../present.ts'
import type { Filters, Format } from '../schema.ts'
import { unpackEntries } from './chain.ts'
import { checkpointKeys } from './checkpoint-keys.ts'
import { writeSeal } from './seal-lines.ts'
import type { SealedBlock } from './seal-queries.ts'
import { readBatches } from './sealed-batches.ts'
import { findRemoval, findSealedRange, type SealedRange } from './sealed-range.ts'
import { reading } from './walking.ts'

/**
 * The file of sealed records in sealed order and their seals: whole blocks, those that the
 * period touches. Throws 400 for any other filter or format.
 */
export async function exportProof(ctx: Ctx, filters: Filters, format: Format): Promise<Answer<StreamBody>> {
  const { from, to, ...others } = filters
  const problems: FieldProblem[] = Object.keys(others).map((name) => ({
    pointer: `query/${name}`,
    detail: 'cannot be given with proof: what is left out would be missing',
  }))
  if (format !== 'ndjson') problems.push({ pointer: 'query/format', detail: 'must be ndjson with proof' })
  if (problems.length > 0) throw invalidRequest({ errors: problems })
  const range = await findSealedRange(ctx, { from, to })
  return fileAnswer(ctx, { format, filters: { ...filters }, proof: true }, writeProof(ctx, range))
}

/** The blocks between two heights as a file shows them: each block's records in sealed order, then its seal. */
export async function* writeProof(ctx: Ctx, range: Pick<SealedRange, 'first' | 'last'> | null): AsyncGenerator<Buffer> {
  if (!range) return
  let removal = await findRemoval(ctx)
  if (removal) yield Buffer.from(line(ctx, 'removal', removal))
  for await (const { blocks, rows } of readBatches(reading(ctx), { from: range.first, to: range.last })) {
    let piece = ''
    for (const block of blocks) {
      const ids = unpackEntries(block.entries).map(({ id }) => id)
      const records = ids.flatMap((id) => rows.get(id) ?? [])
      // Retention may have gone on: whoever checks must know it before they miss anything.
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
