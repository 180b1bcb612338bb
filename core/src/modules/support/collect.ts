import { setTimeout as sleep } from 'node:timers/promises'
import type { Ctx, SupportAnswer, SupportFinding, SupportSection, SupportSubject } from '#kernel'
import { updateStatementTimeout } from './queries.ts'

/** How long one section may take: the answer waits for nobody. */
export const BUDGET_MS = 2_000
/** How many are read at once: each takes a connection. */
const AT_ONCE = 4

/** What one section said, or that it could not be read. */
export interface Collected {
  section: SupportSection
  answer: SupportAnswer<object> | null
}

/** Asks each of these sections, in a transaction of its own: one that fails or takes too long is without an answer. */
export async function collect(
  ctx: Ctx,
  sections: readonly SupportSection[],
  subject: SupportSubject,
  budgetMs = BUDGET_MS,
): Promise<Collected[]> {
  const collected: Collected[] = sections.map((section) => ({ section, answer: null }))
  let next = 0
  const work = async () => {
    for (let one = collected[next++]; one !== undefined; one = collected[next++]) {
      one.answer = await ask(ctx, one.section, subject, budgetMs)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return collected
}

async function ask(ctx: Ctx, section: SupportSection, subject: SupportSubject, budgetMs: number) {
  const over = new AbortController()
  const late = sleep(budgetMs, 'late' as const, { signal: over.signal }) // one word
  late.catch(() => undefined)
  try {
    const reading = read(ctx, section, subject, budgetMs)
    // It may go on failing once nobody waits for it.
    reading.catch(() => undefined)
    const answer = await Promise.race([reading, late])
    if (answer === 'late') throw new Error(`It took longer than ${budgetMs} ms`)
    for (const finding of answer.findings) requireDeclared(section, finding)
    return answer
  } catch (error) {
    ctx.log.error({ err: error, section: section.name }, 'a section of the support answer could not be read')
    return null
  } finally {
    over.abort()
  }
}

const read = (ctx: Ctx, section: SupportSection, subject: SupportSubject, budgetMs: number) =>
  ctx.transaction(
    async (ctx) => {
      await updateStatementTimeout(ctx.tx, budgetMs)
      return section.read(ctx, subject)
    },
    { role: 'system', tenantId: subject.tenantId, readOnly: true },
  )

function requireDeclared({ causes }: SupportSection, { code }: SupportFinding): void {
  if (!Object.hasOwn(causes, code)) throw new Error(`It found ${code}, which it does not declare among its causes`)
}
