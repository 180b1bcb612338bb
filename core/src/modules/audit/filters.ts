import { type FieldProblem, firstIdAt, invalidRequest, isUuid, momentAt, readAddress, SECONDS } from '#kernel'
import type { WideFilters } from './schema.ts'

/** The filters in the form that queries use. */
export interface Criteria {
  /** Exactly this action. */
  action?: string
  /** Actions from `from` to before `before`, compared by bytes. */
  actionRange?: { from: string; before: string }
  resourceType?: string
  resourceId?: string
  userId?: string
  /** Whoever acted, person or not. */
  actorId?: string
  actorType?: string
  storeId?: string
  ipAddress?: string
  /** `createdAt` decides; `id` bounds the range of ids and the partitions to read. */
  from?: { createdAt: string; id: string }
  before?: { createdAt: string; id: string }
  q?: string
}

/** How far the time in an id may differ from `created_at`: ids keep ascending when a clock is set back a little. */
const SLACK_MS = 60 * SECONDS

/** Throws 400 for an invalid time. */
export function criteriaOf(filters: WideFilters): Criteria {
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
    ...(isUuid(filters.actor) ? { actorId: filters.actor?.toLowerCase() } : { actorType: filters.actor }),
    storeId: filters.store_id,
    ipAddress: filters.ip_address && (readAddress(filters.ip_address) ?? filters.ip_address.toLowerCase()),
    from: from === undefined ? undefined : { createdAt: momentAt(from), id: firstIdAt(from - SLACK_MS) },
    before: to === undefined ? undefined : { createdAt: momentAt(to), id: firstIdAt(to + SLACK_MS) },
    q: filters.q,
  }
}

/** `store.*` are the actions from `store.` to before `store/`: the slash comes right after the dot. */
function actionsOf(action: string | undefined): Pick<Criteria, 'action' | 'actionRange'> {
  if (action === undefined || action === '*') return {}
  if (!action.endsWith('.*')) return { action }
  return { actionRange: { from: action.slice(0, -1), before: `${action.slice(0, -2)}/` } }
}
