import { AUDIT_COLUMNS, type RawBuilder, sql, type Tx } from '#kernel'
import type { AuditRow } from '../queries.ts'
import { atLeast, matching, mayMatch, narrow, type Selection, type Span } from '../selection.ts'

// All of it is for the system role: it reads across tenants, and what belongs to none.

/** Records within a span; `pattern`: with a name that may match it (see `asciiPattern`), undefined: whatever the names. */
export interface WideSelection extends Selection {
  pattern: string | null | undefined
}

const columns = sql.join(AUDIT_COLUMNS.map((name) => sql.ref(name)))

function conditions({ criteria, pattern, ...span }: WideSelection): RawBuilder<unknown> {
  const all = matching(criteria, narrow(criteria, span), { inOrder: false })
  if (pattern === undefined) return all
  const names = ['action', 'actor_label', 'resource_label'].map((name) => mayMatch(name, pattern))
  return sql`${all} and (${sql.join(names, sql` or `)})`
}

/** Of all tenants. Summaries of the stretches of the table say which of them hold what is looked for. */
export async function listWithin(tx: Tx, selection: WideSelection): Promise<AuditRow[]> {
  const { rows } = await sql<AuditRow>`
    select tenant_id, ${columns} from audit_logs where ${conditions(selection)} order by id desc limit ${atLeast(selection.limit)}`.execute(
    tx,
  )
  return rows.slice(0, selection.limit)
}

/** How many records, of all tenants, lie within a span. */
export async function countWithin(tx: Tx, { from, before }: Span): Promise<number> {
  const all = matching({}, { from, before })
  const { rows } = await sql<{ count: number }>`select count(*) as count from audit_logs where ${all}`.execute(tx)
  return rows[0]?.count ?? 0
}

/** Of the installation itself. */
export async function listOfInstallation(tx: Tx, selection: WideSelection): Promise<AuditRow[]> {
  const { rows } = await sql<AuditRow>`
    select null::uuid as tenant_id, ${columns} from global_audit_logs where ${conditions(selection)}
    order by id desc limit ${atLeast(selection.limit)}`.execute(tx)
  return rows.slice(0, selection.limit)
}
