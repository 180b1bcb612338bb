import type { Backend, Selectable } from '#kernel'
import type { PictureKind } from './variants.ts'

export interface PictureTable {
  /** Random: whoever knows it sees the picture. */
  id: string
  kind: PictureKind
  /** `pending`: nobody shows it yet; `attached`: somebody does; `removed`: nobody does any more, and its files go. */
  state: 'pending' | 'attached' | 'removed'
  /** Where its files are. */
  storage_backend: Backend
  /** Of the largest variant, in pixels. */
  width: number
  height: number
  created_at: string
  updated_at: string
}

export type PictureRow = Selectable<PictureTable>

declare module '#kernel' {
  interface Tables {
    pictures: PictureTable
  }
}
