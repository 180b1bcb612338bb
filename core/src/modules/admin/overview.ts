import { type Ctx, DAYS, fromNow } from '#kernel'
import {
  countFailedJobs,
  countFoundedByDay,
  countHeld,
  countTenantsByStatus,
  countUsers,
  listMonthlyRevenue,
} from './queries.ts'
import type { Overview } from './schema.ts'

/** Days that sign-ups are shown of, today being the last. */
const SHOWN_DAYS = 30

/** How the installation does, as it stands now. Called as the system role. */
export async function readOverview(ctx: Ctx): Promise<Overview> {
  const { tx, clock, registry } = ctx
  const days = Array.from({ length: SHOWN_DAYS }, (_, i) => dayOf(fromNow(clock, (i + 1 - SHOWN_DAYS) * DAYS)))
  const inBytes = [...registry.limits].filter(([, { holds }]) => holds === 'bytes').map(([name]) => name)
  // All are sent at once.
  const [statuses, users, founded, mrr, storage_bytes, failed_jobs] = await Promise.all([
    countTenantsByStatus(tx),
    countUsers(tx),
    countFoundedByDay(tx, `${days[0]}T00:00:00.000Z`),
    listMonthlyRevenue(tx),
    countHeld(tx, inBytes),
    countFailedJobs(tx),
  ])
  const byStatus = new Map(statuses.map(({ status, count }) => [status, count]))
  const byDay = new Map(founded.map(({ date, count }) => [date, count]))
  return {
    tenants: {
      active: byStatus.get('active') ?? 0,
      suspended: byStatus.get('suspended') ?? 0,
      deleted: byStatus.get('deleted') ?? 0,
    },
    users,
    signups: days.map((date) => ({ date, count: byDay.get(date) ?? 0 })),
    mrr,
    storage_bytes,
    failed_jobs,
  }
}

const dayOf = (moment: string) => moment.slice(0, 'YYYY-MM-DD'.length)
