import { newId } from '#kernel'
import { contextOf } from '../../../testing/context.ts'
import type { TestCore } from '../../../testing/index.ts'
import type { Person } from '../../auth/auth.fixture.ts'
import { asSuperuser } from '../audit.fixture.ts'
import { foundWithRecords, sealAndComplete, sealedIds } from './seal.fixture.ts'
import { verifyRecords } from './verify.ts'

/** In three blocks. */
export const RECORDS = 2_300

/** What somebody may do to the audit log who is the superuser of the database, and what is then said of it. */
export function tamperingWith(test: TestCore) {
  const sql = (text: string, values: unknown[]) => asSuperuser(test, text, values)
  const tools = {
    sql,
    /** A tenant with three blocks of records, to which nothing can come to light any more. */
    sealedTenant: async (): Promise<{ person: Person; tenantId: string; ids: string[] }> => {
      const person = await foundWithRecords(test, RECORDS)
      await sealAndComplete(test, person.tenantId)
      return { person, tenantId: person.tenantId, ids: await sealedIds(test, person.tenantId) }
    },
    /** Looks anew, whatever was found a moment ago. */
    verify: async ({ token, tenantId }: Person, query = '', by = test) => {
      await forgetVerdict(test, tenantId)
      return by.request('GET', `/api/v1/audit/verify${query}`, { token })
    },
    change: (tenantId: string, id: string | undefined) =>
      sql(`update audit_logs set new_values = '{"name": "Forged"}' where tenant_id = $1 and id = $2`, [tenantId, id]),
    remove: (tenantId: string, ids: (string | undefined)[]) =>
      sql('delete from audit_logs where tenant_id = $1 and id = any($2)', [tenantId, ids]),
    insert: (tenantId: string, id: string) =>
      sql(
        `insert into audit_logs (tenant_id, id, created_at, action, actor_type, actor_label, resource_type)
         values ($1, $2, now(), 'toy.made', 'system', 'system', 'toy')`,
        [tenantId, id],
      ),
    setBlock: (tenantId: string, height: number, change: string) =>
      sql(`update audit_blocks set ${change} where tenant_id = $1 and height = $2`, [tenantId, height]),
    swap: async (tenantId: string, a: string | undefined, b: string | undefined) => {
      const spare = newId()
      const moves = [
        [a, spare],
        [b, a],
        [spare, b],
      ]
      for (const [from, to] of moves)
        await sql('update audit_logs set id = $3 where tenant_id = $1 and id = $2', [tenantId, from, to])
    },
  }
  return tools
}

export type Tampering = ReturnType<typeof tamperingWith>

/** The next check is made, not answered with what was found before. */
export const forgetVerdict = (test: TestCore, tenantId: string) =>
  asSuperuser(test, 'delete from audit_verifications where tenant_id = $1', [tenantId])

/** An id right after another one. */
export const rightAfter = (id = '') => `${id.slice(0, -12)}ffffffffffff`

/** Past the front door: a core with another secret knows no tokens. */
export async function verifyBehind({ core }: TestCore, tenantId: string) {
  const steps = await verifyRecords(contextOf(core, tenantId), {})
  for (;;) {
    const step = await steps.next()
    if (step.done) return step.value
  }
}
