import type { NotificationType, Selectable } from '#kernel'

/** News of those who run the installation. */
export interface AnnouncementTable {
  id: string
  created_at: string
  updated_at: string
  title: string
  message: string
  type: NotificationType
  /** Null: all tenants. */
  tenant_ids: string[] | null
  /** All tenants up to here are being told. */
  position: string | null
  finished_at: string | null
}

export type AnnouncementRow = Selectable<AnnouncementTable>

declare module '#kernel' {
  interface Tables {
    announcements: AnnouncementTable
  }
}
