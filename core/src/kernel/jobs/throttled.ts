import { fromNow, SECONDS } from '../clock.ts'
import type { Core } from '../core.ts'
import { claiming } from './claim.ts'

/** So much later a turn is tried again that had to wait for another one. */
const AGAIN_MS = 1 * SECONDS

interface Whose {
  tenantId: string
  outbound: boolean
}

/**
 * Runs a turn of a tenant that is throttled unless another one runs, in whatever process: then its jobs run one at a time. Who
 * finds another one there comes again, and a turn of the other kind gives way to it, so that a long queue of one kind keeps
 * none of the other waiting. Returns whether more may be waiting.
 */
export async function runThrottled(core: Core, whose: Whose, turn: () => Promise<boolean>): Promise<boolean> {
  const { tenantId, outbound } = whose
  const name = `throttled ${tenantId}`
  let more = false
  let isAwaited = false
  const isMine = await claiming(core, name, async () => {
    more = await turn()
    isAwaited = more && (await hasRefused(core, name, kindOf(!outbound)))
  })
  const comeAgain = () => core.wake(tenantId, fromNow(core.clock, AGAIN_MS), outbound)
  if (!isMine) {
    await noteRefused(core, name, kindOf(outbound))
    comeAgain()
    return false
  }
  // Nothing goes on from where it was: a tenant that is throttled no longer leaves no row.
  await core.db.systemQuery('delete from runs where name = $1 and claimed_by is null returning 1', [name])
  if (!isAwaited) return more
  core.wake(tenantId, core.clock.now(), !outbound)
  comeAgain()
  return false
}

const kindOf = (outbound: boolean) => (outbound ? 'outbound' : 'inner')

/** Leaves word with the claim of the turn that runs, which no turn of this kind may be behind. */
const noteRefused = ({ db }: Core, name: string, kind: string) =>
  db.systemQuery(
    `update runs set position = concat_ws(' ', position, $2::text)
     where name = $1 and claimed_by is not null and position(' ' || $2 || ' ' in concat(' ', position, ' ')) = 0 returning 1`,
    [name, kind],
  )

async function hasRefused({ db }: Core, name: string, kind: string): Promise<boolean> {
  const [row] = await db.systemQuery<{ position: string | null }>('select position from runs where name = $1', [name])
  return row?.position?.split(' ').includes(kind) ?? false
}
