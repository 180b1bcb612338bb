import type { Ctx } from '../context.ts'
import type { Backend, FileStorage } from './storage.ts'

/** What is moved, and where to. */
export interface Move {
  to: FileStorage
  /** Only what is in this one; null: in any other than `to`. */
  from: Backend | null
  /** Only what is this tenant's; null: everybody's. */
  tenantId: string | null
  /** Opens a storage to read from. Throws `StorageUnknown`, as `Storages.of`. */
  open(backend: Backend): FileStorage
}

/** One thing that is to be moved. */
export interface Movable {
  /** Names it where it could not be moved: its key. */
  key: string
  bytes: number
  /**
   * Moves it: to the other storage, compared with what is known of it; then the row that names its storage, in one conditional
   * update; the old one goes last. Interrupted at any point and repeated, it goes on. False: it is gone, or was moved by
   * somebody else. Throws where it stays where it was.
   */
  move(): Promise<boolean>
}

/** A kind of things that a module keeps in the file storage. */
export interface StoredKind {
  /** In the plural, for people: `files`. */
  name: string
  /** What is elsewhere than it should be; in pages, however much it is. `ctx` has no tenant and no transaction. */
  list(ctx: Ctx, move: Move): AsyncIterable<Movable>
  /**
   * The folders of a storage with all that is there of a tenant and of nobody else: what is in them goes when the tenant is
   * removed for good.
   */
  foldersOf(tenantId: string): readonly string[]
}
