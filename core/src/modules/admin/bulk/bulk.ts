import {
  AppError,
  type Ctx,
  type PartialOperatorRole,
  performPart,
  SECONDS,
  type TransactionOptions,
  toAppError,
} from '#kernel'
import type { BulkAnswer, BulkOutcome } from './schema.ts'

/** What is not begun by then is not begun at all, so that the answer arrives while somebody waits for it. */
const BUDGET_MS = 20 * SECONDS

export interface Bulk {
  ids: readonly string[]
  dry_run: boolean
}

/** What is done to each. */
export interface BulkAct {
  /** What the act alone takes: whoever loses it meanwhile acts on no more. */
  role: PartialOperatorRole
  /** The transaction that each has of its own. */
  scope: (id: string) => TransactionOptions
  /** As for one alone; false: nothing changed. */
  act: (ctx: Ctx, id: string) => Promise<boolean>
  /** Milliseconds within which each has to be begun. Default: 20 seconds. */
  budgetMs?: number
}

/**
 * Does the same to many, one after the other, each with its own transaction and records, whatever becomes of the others. A dry
 * run does the same to each and takes it back. Opens its own transactions.
 */
export async function actInBulk(ctx: Ctx, { ids, dry_run }: Bulk, bulk: BulkAct): Promise<BulkAnswer> {
  const until = performance.now() + (bulk.budgetMs ?? BUDGET_MS)
  const data: BulkOutcome[] = []
  let isOver = false
  // In whatever spelling, each is one.
  for (const id of new Set(ids.map((each) => each.toLowerCase()))) {
    isOver ||= performance.now() > until
    const outcome: BulkOutcome = isOver ? notTried(id) : await attempt(ctx, id, dry_run, bulk)
    // The next would wait in vain, too.
    isOver ||= outcome.code === 'unavailable'
    data.push(outcome)
  }
  return { dry_run, data }
}

async function attempt(asked: Ctx, id: string, isDry: boolean, { role, scope, act }: BulkAct): Promise<BulkOutcome> {
  try {
    const ctx = asked.principal ? await asked.proveAgain() : asked
    ctx.requireOperator(role)
    const work = (ctx: Ctx) => act(ctx, id)
    const isChanged = isDry ? await rehearse(ctx, work, scope(id)) : await performPart(ctx, id, work, scope(id))
    return { id, outcome: isChanged ? 'done' : 'unchanged', code: null, detail: null }
  } catch (thrown) {
    const { code, status, details, kind } = toAppError(thrown)
    if (!(thrown instanceof AppError) && status >= 500)
      asked.log.error({ err: thrown, id }, 'one of many could not be acted on')
    return { id, outcome: 'refused', code, detail: details.detail ?? kind.title }
  }
}

/** Carries what the work gave out of a transaction that is taken back. */
class Rehearsed extends Error {
  readonly result: boolean

  constructor(result: boolean) {
    super('taken back')
    this.result = result
  }
}

/** What the work would give: all that it does is undone, and what follows a commit does not. */
async function rehearse(ctx: Ctx, work: (ctx: Ctx) => Promise<boolean>, scope: TransactionOptions): Promise<boolean> {
  try {
    return await ctx.transaction(async (ctx) => {
      throw new Rehearsed(await work(ctx))
    }, scope)
  } catch (thrown) {
    if (thrown instanceof Rehearsed) return thrown.result
    throw thrown
  }
}

const notTried = (id: string): BulkOutcome => ({
  id,
  outcome: 'refused',
  code: 'not_tried',
  detail: 'There was no time left for it: ask again for what is left',
})
