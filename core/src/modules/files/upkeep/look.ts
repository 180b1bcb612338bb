import { type Ctx, DAYS, type FileStorage } from '#kernel'
import { compare, type Finding } from './compare.ts'
import { confirmAbsent } from './mend.ts'
import { doubtsOf, MANY, nothing, type SweepReport } from './report.ts'

/** After going back to a database of this age nothing has been removed that was uploaded since. */
const HELD_MS = 7 * DAYS

/** Looks at one storage of a tenant, and changes nothing. `holds`: as a worker, which leaves young orphans alone. */
export async function look(
  ctx: Ctx,
  storage: FileStorage,
  { holds, stopping }: { holds: boolean; stopping?: AbortSignal | undefined },
): Promise<SweepReport> {
  const seen = nothing()
  for await (const finding of compare(ctx, storage, seen)) {
    stopping?.throwIfAborted()
    if (finding.is === 'absent') await countAbsent(ctx, finding, seen)
    else count(finding, seen, holds && isHeld(ctx, finding))
  }
  seen.doubtful = doubtsOf(seen)
  return seen
}

/** An object that a database from a backup would know nothing of. A piece of an upload is worth nothing without it. */
export const isHeld = ({ clock }: Pick<Ctx, 'clock'>, finding: Finding): boolean =>
  finding.is === 'orphan' && finding.madeMs >= clock.ms() - HELD_MS

async function countAbsent(ctx: Ctx, { file }: Finding & { is: 'absent' }, seen: SweepReport): Promise<void> {
  if (seen.missing > MANY) seen.missing++
  else {
    const absent = await confirmAbsent(ctx, file)
    if (absent) seen.missing++
    if (absent?.elsewhere) seen.elsewhere++
    else if (absent) seen.lost.push(file.id)
  }
}

function count(finding: Exclude<Finding, { is: 'absent' }>, seen: SweepReport, held: boolean): void {
  if (finding.is === 'orphan' || finding.is === 'piece') seen.orphanBytes += finding.object.bytes
  seen[held ? 'held' : COUNTED[finding.is]]++
}

const COUNTED = {
  orphan: 'orphans',
  piece: 'pieces',
  copy: 'copies',
  found: 'found',
  unknown: 'unknown',
} as const // names of numbers
