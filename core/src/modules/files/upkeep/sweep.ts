import { type Ctx, every, everyTenant, type FileStorage, recount } from '#kernel'
import { countBytes } from '../queries.ts'
import { STORAGE } from '../uploads/reservation.ts'
import { compare, type Finding } from './compare.ts'
import { type Doubts, survey } from './doubts.ts'
import { isHeld, look } from './look.ts'
import { mend, mendAbsent } from './mend.ts'
import { ABSENT, type Doubt, hasFound, MANY, ORPHANS, type SweepReport, sum } from './report.ts'
import { countElsewhere, listTenantsToSweep } from './sweep-queries.ts'

export interface SweepOptions {
  /** Change things; false: only look. */
  mends: boolean
  /** Somebody has looked at what was found: also what is doubtful is mended, and what a worker would leave for a week. */
  trusts?: boolean
  /** What all tenants together make doubtful. */
  doubts?: Doubts
  stopping?: AbortSignal
}

/** A storage could not be read to its end, for the reason in `cause`: nothing was touched. */
export class LookFailed extends Error {
  override name = 'LookFailed'
}

/** Every night: mends what the storages and the rows of files do not agree about. */
export const sweepFiles = every('23 2 * * *', 'files.sweep', async (ctx) => {
  const doubts = await survey(ctx)
  if (doubts === null) return
  await everyTenant(ctx, {
    name: 'files.sweep',
    transaction: 'manual',
    list: listTenantsToSweep,
    work: async (ctx, _tenant, stopping) => {
      await sweepTenant(ctx, { mends: true, doubts, stopping })
    },
  })
})

/**
 * Looks at all storages of a tenant, and then mends what was found; what refuses to be mended keeps nothing else from its turn.
 * Throws `LookFailed`, with nothing touched, where a storage cannot be read to its end.
 */
export async function sweepTenant(ctx: Ctx, options: SweepOptions): Promise<SweepReport> {
  const { mends, trusts = false } = options
  const looks = await lookAtAll(ctx, options)
  if (mends) for (const [storage, seen] of looks) if (hasFound(seen)) await mendAll(ctx, storage, { seen, options })
  const total = sum(looks.map(([, seen]) => seen))
  if (mends && trusts) total.doubtful = []
  const described = ctx.storages.all.map(({ backend }) => backend)
  total.unreachable = await ctx.transaction(({ tx, tenantId }) => countElsewhere(tx, tenantId, described), {
    readOnly: true,
  })
  total.drift = await countAnew(ctx, mends)
  if (mends && hasFound(total)) say(ctx, total)
  return total
}

async function lookAtAll(ctx: Ctx, { trusts = false, doubts, stopping }: SweepOptions) {
  const looks: [FileStorage, SweepReport][] = []
  try {
    for (const storage of ctx.storages.all)
      looks.push([storage, await look(ctx, storage, { holds: !trusts, stopping })])
  } catch (cause) {
    stopping?.throwIfAborted()
    throw new LookFailed('A storage could not be compared with the rows of files', { cause })
  }
  for (const [{ backend }, seen] of looks) {
    const has = { [ABSENT]: seen.missing, [ORPHANS]: seen.orphans + seen.held }
    const more = doubts?.get(backend)?.filter((doubt) => has[doubt] > 0) ?? []
    seen.doubtful = [...new Set([...seen.doubtful, ...more])]
  }
  return looks
}

/** Mends what one storage and the rows do not agree about. What is found missing now is what counts. */
async function mendAll(
  ctx: Ctx,
  storage: FileStorage,
  { seen, options: { trusts = false, stopping } }: { seen: SweepReport; options: SweepOptions },
): Promise<void> {
  const kept = trusts ? [] : seen.doubtful
  if (!kept.includes(ABSENT)) Object.assign(seen, { missing: 0, elsewhere: 0, lost: [] })
  for await (const finding of compare(ctx, storage, { objects: 0, files: 0 })) {
    stopping?.throwIfAborted()
    const doubt = doubtOf(finding)
    if ((doubt && kept.includes(doubt)) || (!trusts && isHeld(ctx, finding))) continue
    try {
      if (finding.is === 'absent') await countMended(ctx, finding, seen)
      else await mend(ctx, storage, finding)
    } catch (error) {
      stopping?.throwIfAborted()
      seen.failed++
      // One that its storage refuses keeps no other from its turn; a storage that refuses all says so often enough.
      if (seen.failed <= MANY) ctx.log.error({ err: error, tenant_id: ctx.tenantId, ...nameOf(finding) }, UNMENDED)
    }
  }
}

const UNMENDED = 'what the storage and the rows of files do not agree about could not be mended'

async function countMended(ctx: Ctx, { file }: Finding & { is: 'absent' }, seen: SweepReport): Promise<void> {
  const absent = await mendAbsent(ctx, file)
  if (!absent) return
  seen.missing++
  if (absent.elsewhere) seen.elsewhere++
  else if (seen.lost.length <= MANY) seen.lost.push(file.id)
}

const nameOf = (finding: Finding) =>
  'object' in finding ? { is: finding.is, key: finding.object.key } : { is: finding.is, file: finding.file.id }

const doubtOf = ({ is }: Finding): Doubt | null => (is === 'absent' ? ABSENT : is === 'orphan' ? ORPHANS : null)

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
  else if (found.failed > 0) log.error(what, 'not all that does not fit together could be mended')
  else if (found.held > 0)
    log.warn(what, 'the storage has objects without a file, which are removed once they are a week old')
  else log.warn(what, 'the storage and the rows of files were made to fit together')
}
