import { type FieldProblem, firstIdAt, invalidRequest, readAddress, SECONDS } from '#kernel'
import type { Filters } from './schema.ts'

/** The filters as a query needs them. */
export interface Criteria {
  /** Exactly this action. */
  action?: string
  /** Actions from the first to before the second, byte by byte. */
  actionRange?: { from: string; before: string }
  resourceType?: string
  resourceId?: string
  userId?: string
  storeId?: string
  ipAddress?: string
  /** `createdAt` decides; `id` says where in the order of ids, and in which partitions, to look for it. */
  from?: { createdAt: string; id: string }
  before?: { createdAt: string; id: string }
  q?: string
}

/** How far the time in a record's id may be from `created_at`: ids go on ascending when a clock is set back a little. */
const SLACK_MS = 60 * SECONDS

/** Throws 400 for a time that is none. */
export function criteriaOf(filters: Filters): Criteria {
  const problems: FieldProblem[] = []
  const timeOf = (name: 'from' | 'to') => {
    const text = filters[name]
    if (text === undefined) return undefined
    const ms = Date.parse(text)
    if (Number.isNaN(ms)) problems.push({ pointer: `query/${name}`, detail: 'is no moment in time' })
    return ms
  }
  const [from, to] = [timeOf('from'), timeOf('to')]
  if (problems.length > 0) throw invalidRequest({ errors: problems })
  return {
    ...actionsOf(filters.action),
    resourceType: filters.resource_type,
    resourceId: filters.resource_id,
    userId: filters.user_id,
    storeId: filters.store_id,
    ipAddress: filters.ip_address && (readAddress(filters.ip_address) ?? filters.ip_address.toLowerCase()),
    from: from === undefined ? undefined : { createdAt: new Date(from).toISOString(), id: firstIdAt(from - SLACK_MS) },
    before: to === undefined ? undefined : { createdAt: new Date(to).toISOString(), id: firstIdAt(to + SLACK_MS) },
    q: filters.q,
  }
}

/** `store.*` are the actions from `store.` to before `store/`: the slash comes right after the dot. */
function actionsOf(action: string | undefined): Pick<Criteria, 'action' | 'actionRange'> {
  if (action === undefined || action === '*') return {}
  if (!action.endsWith('.*')) return { action }
  return { actionRange: { from: action.slice(0, -1), before: `${action.slice(0, -2)}/` } }
}
