import { type Ctx, deleteWakes, fromNow, MINUTES, SECONDS } from '#kernel'
import { updateReleased } from '../queries.ts'
import { withdrawMails } from '../tell-owners.ts'
import { certify } from './certify.ts'
import { requireAllKnown } from './known.ts'
import { measureObjects, removeLate, removeLogo, removeObjects } from './objects.ts'
import { notePeople, removeAccounts } from './people.ts'
import { lockRemoving } from './removal-queries.ts'
import { removeHoldings, removeRows } from './rows.ts'
import { claimNext, countRows, type Run, step, TakenOver, TimeIsUp } from './run.ts'

/** After this time others get the place; the removal goes on a moment later. */
const RUN_MS = 10 * SECONDS
const RETRY_MS = 10 * MINUTES
const MOST_SAID = 2000

/** What became of a run: `none`: nothing is due; `done`: a tenant is gone; `more`: it goes on, or is tried again. */
export type Outcome = 'none' | 'done' | 'more' | 'failed'

/**
 * Removes what is left of the tenant whose time has come, for as long as a run lasts: in steps of one transaction each, so that a process
 * may die at any point and another one goes on. Why it does not go on is stored. No transaction may be open.
 */
export async function carryOutNext(ctx: Ctx, budgetMs = RUN_MS): Promise<Outcome> {
  const run = await claimNext(ctx, budgetMs)
  if (!run) return 'none'
  try {
    await carryOut(run)
    return 'done'
  } catch (error) {
    if (error instanceof TakenOver) return 'more'
    const problem = error instanceof TimeIsUp ? null : sentenceOf(error)
    if (problem !== null)
      ctx.log.error(
        { err: error, tenant_id: run.tenantId },
        'the removal of a tenant does not go on, and is tried again',
      )
    await release(run, problem)
    return problem === null ? 'more' : 'failed'
  }
}

const sentenceOf = (error: unknown) => (error instanceof Error ? error.message : String(error)).slice(0, MOST_SAID)

async function carryOut(run: Run): Promise<void> {
  const { ctx } = run
  await ctx.transaction(requireAllKnown, { role: 'system', tenantId: null, readOnly: true })
  await measureObjects(run)
  await notePeople(run)
  // First whatever leads to the tenant: nobody finds it any more.
  await removeHoldings(run)
  await removeObjects(run)
  await removeLogo(run)
  await removeRows(run)
  await removeAccounts(run)
  await removeTraces(run)
  await removeLate(run)
  await certify(run)
}

/** Wakes in the queue, and what was mailed about the removal itself. */
async function removeTraces(run: Run): Promise<void> {
  await step(run, async (ctx, progress) => {
    await lockRemoving(ctx.tx, run.tenantId)
    await deleteWakes(ctx.tx, run.tenantId)
    countRows(progress, 'global_mails', await withdrawMails(ctx, run.removal))
  })
}

const release = ({ ctx, removal }: Run, problem: string | null): Promise<unknown> =>
  ctx.transaction(
    ({ tx, clock }) => updateReleased(tx, removal, { problem, retry_at: problem && fromNow(clock, RETRY_MS) }),
    { role: 'system', tenantId: null },
  )
