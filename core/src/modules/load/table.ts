import type { Insertable, Selectable } from '#kernel'

/** What is counted, in the order in which it is shown. */
export const MEASURES = ['db_us', 'requests', 'rows_written', 'jobs', 'bytes', 'errors'] as const // the names are columns
export type Measure = (typeof MEASURES)[number]

/** What was counted of a tenant; `db_us` in microseconds. */
export type Figures = Record<Measure, number>

export type LoadRow = Figures & { tenant_id: string }

/** In place of a tenant: what belongs to none. */
export const OUTSIDE = '00000000-0000-0000-0000-000000000000'
/** In place of a tenant: those beyond the ones that a process tells apart. */
export const OTHERS = 'ffffffff-ffff-ffff-ffff-ffffffffffff'

/** Rows of a minute or of a quarter of an hour, which begins at `starts_at`. */
export interface LoadSpanTable extends LoadRow {
  starts_at: string
}

export interface TenantThrottleTable {
  tenant_id: string
  requests_per_minute: number
  until: string | null
  reason: string
  created_at: string
}
export type ThrottleRow = Selectable<TenantThrottleTable>
export type NewThrottle = Insertable<TenantThrottleTable>

declare module '#kernel' {
  interface Tables {
    load_minutes: LoadSpanTable
    load_quarters: LoadSpanTable
    load_totals: LoadRow
    tenant_throttles: TenantThrottleTable
  }
}
