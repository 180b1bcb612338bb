import { type Ctx, every, everyTenant, type FileStorage, recount } from '#kernel'
import { countBytes } from '../queries.ts'
import { STORAGE } from '../uploads/reservation.ts'
import { type Compared, compare, type Finding } from './compare.ts'
import { confirmAbsent, mend } from './mend.ts'
import { countElsewhere, listTenantsToSweep } from './sweep-queries.ts'

/** What a sweep found of one tenant, in numbers. */
export interface SweepReport extends Compared {
  /** Objects that no file and no upload has, and pieces of uploads; their bytes. */
  orphans: number
  pieces: number
  orphanBytes: number
  /** Second copies of files, left behind by a move. */
  copies: number
  /** Files whose storage is without them, or has something of another size. */
  missing: number
  /** The ids of the first of them that are nowhere. */
  lost: string[]
  /** Of these the ones that another storage has. */
  elsewhere: number
  /** Files that were missing and are there again. */
  found: number
  /** Objects under names that nothing here makes: nobody touches them. */
  unknown: number
  /** Files in storages that the settings do not describe: nobody can look at them. */
  unreachable: number
  /** By how many bytes the quota was counted wrong; negative: too few. */
  drift: number
  /** What was found of so much that it looks as if the storage, or the database, is not the right one. Not touched. */
  doubtful: string[]
}

export interface SweepOptions {
  /** Change things; false: only look. */
  mends: boolean
  /** Somebody has looked at what was found: also what is doubtful is mended. */
  trusts?: boolean
  stopping?: AbortSignal
}

/** Every night: mends what the storages and the rows of files do not agree about. */
export const sweepFiles = every('23 2 * * *', 'files.sweep', (ctx) =>
  everyTenant(ctx, {
    name: 'files.sweep',
    transaction: 'manual',
    list: listTenantsToSweep,
    work: async (ctx, _tenant, stopping) => {
      await sweepTenant(ctx, { mends: true, stopping })
    },
  }),
)

/**
 * Looks at all storages of a tenant, and then mends what was found. Where one of them cannot be read to its end, nothing is
 * touched and this throws.
 */
export async function sweepTenant(ctx: Ctx, { mends, trusts = false, stopping }: SweepOptions): Promise<SweepReport> {
  const { tenantId, storages } = ctx
  const looks: [FileStorage, SweepReport][] = []
  for (const storage of storages.all) looks.push([storage, await look(ctx, storage, stopping)])
  if (mends)
    for (const [storage, seen] of looks) {
      if (!hasFound(seen)) continue
      const kept = trusts ? [] : seen.doubtful
      for await (const finding of compare(ctx, storage, { objects: 0, files: 0 })) {
        stopping?.throwIfAborted()
        if (!kept.includes(doubtOf(finding))) await mend(ctx, storage, finding)
      }
    }
  const total = sum(looks.map(([, seen]) => seen))
  const described = storages.all.map(({ backend }) => backend)
  total.unreachable = await ctx.transaction(({ tx }) => countElsewhere(tx, tenantId, described), { readOnly: true })
  total.drift = await countAnew(ctx, mends)
  if (mends && hasFound(total)) say(ctx, total)
  return total
}

/** Whether there is anything to be said about a tenant. */
export function hasFound({ objects: _objects, files: _files, ...found }: SweepReport): boolean {
  return Object.values(found).some((value) => (Array.isArray(value) ? value.length > 0 : value !== 0))
}

const nothing = (): SweepReport => ({
  ...{ objects: 0, files: 0, orphans: 0, pieces: 0, orphanBytes: 0, copies: 0, missing: 0, elsewhere: 0 },
  ...{ found: 0, unknown: 0, unreachable: 0, drift: 0, doubtful: [], lost: [] },
})

/** From here on it may be a whole storage that is not there, and nobody asks it for each file. */
const MANY = 20

async function look(ctx: Ctx, storage: FileStorage, stopping: AbortSignal | undefined): Promise<SweepReport> {
  const seen = nothing()
  for await (const finding of compare(ctx, storage, seen)) {
    stopping?.throwIfAborted()
    if (finding.is === 'absent') await countAbsent(ctx, finding, seen)
    else count(finding, seen)
  }
  // A disk that is not mounted has no file, and a database from a backup knows nothing of the last day.
  if (seen.missing > MANY && seen.missing > seen.files / 2) seen.doubtful.push(ABSENT)
  if (seen.orphans > MANY && seen.orphans > seen.objects / 2) seen.doubtful.push(ORPHANS)
  return seen
}

const ABSENT = 'missing files'
const ORPHANS = 'objects without a file'

const doubtOf = ({ is }: Finding): string => (is === 'absent' ? ABSENT : is === 'orphan' ? ORPHANS : '')

async function countAbsent(ctx: Ctx, { file }: Finding & { is: 'absent' }, seen: SweepReport): Promise<void> {
  if (seen.missing > MANY) seen.missing++
  else {
    const absent = await confirmAbsent(ctx, file)
    if (absent) seen.missing++
    if (absent?.elsewhere) seen.elsewhere++
    else if (absent) seen.lost.push(file.id)
  }
}

function count(finding: Exclude<Finding, { is: 'absent' }>, seen: SweepReport): void {
  if (finding.is === 'orphan' || finding.is === 'piece') seen.orphanBytes += finding.object.bytes
  seen[COUNTED[finding.is]]++
}

const COUNTED = {
  orphan: 'orphans',
  piece: 'pieces',
  copy: 'copies',
  found: 'found',
  unknown: 'unknown',
} as const // names of numbers

function sum(reports: readonly SweepReport[]): SweepReport {
  const total = nothing()
  for (const { doubtful, lost, ...numbers } of reports) {
    total.doubtful.push(...doubtful)
    total.lost.push(...lost)
    for (const [name, value] of Object.entries(numbers)) total[name as keyof typeof numbers] += value // its own names
  }
  return total
}

/** By how much the quota was counted wrong, which is set right unless this only looks. */
async function countAnew(ctx: Ctx, mends: boolean): Promise<number> {
  let drift = 0
  const looked = new Error('This only looks: nothing is changed')
  try {
    await ctx.transaction((ctx) =>
      recount(ctx, STORAGE, async () => {
        // Whoever takes or gives back any waits meanwhile.
        const used = (await ctx.registry.allowances?.overview?.(ctx))?.limits[STORAGE]?.used ?? 0
        const bytes = await countBytes(ctx.tx, ctx.tenantId)
        drift = used - bytes
        if (!mends) throw looked
        return bytes
      }),
    )
  } catch (error) {
    if (error !== looked) throw error
  }
  return drift
}

function say({ log, tenantId }: Ctx, { doubtful, ...found }: SweepReport): void {
  const what = { tenant_id: tenantId, ...found }
  if (doubtful.length > 0)
    log.error(
      { ...what, doubtful },
      'so much of the storage and the rows of files does not fit together that nothing of it was touched: look whether both are the right ones, then run "files check --mend"',
    )
  else if (found.missing > found.elsewhere) log.error(what, 'the storage is without some files')
  else log.warn(what, 'the storage and the rows of files were made to fit together')
}
