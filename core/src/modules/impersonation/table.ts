import type { Selectable, TenantRow } from '#kernel'

/** An operator who acts as a person of the tenant, until the end is recorded. */
export interface ImpersonationTable extends TenantRow {
  user_id: string
  user_name: string
  operator_id: string
  operator_name: string
  reason: string
  read_only: boolean
  expires_at: string
}

declare module '#kernel' {
  interface Tables {
    impersonations: ImpersonationTable
  }
}

export type ImpersonationRow = Selectable<ImpersonationTable>
