import { sqlState } from '#kernel'
import { listWithPassword } from '../../auth/index.ts'
import { deleteUnusedUser, lockUserIfThere } from '../../users/index.ts'
import { deletePeople, insertPeople, listPeople, listPeopleToNote, lockRemoving } from './removal-queries.ts'
import { goOn, type Run, step } from './run.ts'

const PART = 500
const FOREIGN_KEY = '23503'

/** Writes down who was in the tenant, before their memberships go. */
export async function notePeople(run: Run): Promise<void> {
  const { tenantId } = run
  while (!run.progress.has_people) {
    const noted = await step(run, async ({ tx }, progress) => {
      await lockRemoving(tx, tenantId)
      const ids = await listPeopleToNote(tx, tenantId, PART)
      if (ids.length > 0) await insertPeople(tx, tenantId, ids)
      if (ids.length < PART) progress.has_people = true
      return ids.length
    })
    goOn(run, noted)
  }
}

/**
 * Removes the accounts of people who were invited by this tenant alone and never came: without password, sign-in, other tenant and
 * role of an operator. Everybody else's is their own, and stays.
 */
export async function removeAccounts(run: Run): Promise<void> {
  const { ctx, tenantId } = run
  const system = { role: 'system', tenantId: null, readOnly: true } as const // a literal of TransactionOptions
  for (;;) {
    const { ids, used } = await ctx.transaction(async ({ tx }) => {
      const ids = await listPeople(tx, tenantId, PART)
      return { ids, used: await listWithPassword(tx, ids) }
    }, system)
    if (ids.length === 0) return
    const kept = ids.filter((id) => used.has(id))
    if (kept.length > 0) await forget(run, kept)
    for (const id of ids) if (!used.has(id)) await removeAccount(run, id)
  }
}

async function removeAccount(run: Run, id: string): Promise<void> {
  try {
    await step(run, async ({ tx }, progress) => {
      await lockRemoving(tx, run.tenantId)
      // Locked first: whoever accepts another invitation meanwhile has a password by then, or finds nobody.
      const isUsed = (await lockUserIfThere(tx, id)) !== undefined && (await listWithPassword(tx, [id])).has(id)
      if (!isUsed && (await deleteUnusedUser(tx, id))) progress.accounts = (progress.accounts ?? 0) + 1
      await deletePeople(tx, run.tenantId, [id])
    })
  } catch (error) {
    // Somebody else refers to it: it stays.
    if (sqlState(error) !== FOREIGN_KEY) throw error
    await forget(run, [id])
  }
  goOn(run, 1)
}

async function forget(run: Run, ids: readonly string[]): Promise<void> {
  await step(run, async ({ tx }) => {
    await lockRemoving(tx, run.tenantId)
    await deletePeople(tx, run.tenantId, ids)
  })
  goOn(run, ids.length)
}
