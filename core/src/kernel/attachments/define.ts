import type { Ctx } from '../context.ts'

/** What files of one kind of thing may be, and who may see and change them: declared by the module that owns the thing. */
export interface FileRule {
  /** The `entity_type` of such files: `article`. */
  readonly entityType: string
  /** Who holds it, in the store of the thing where it has one, may see and download them. */
  readonly view: string
  /** Who holds it may add, change and remove them. */
  readonly change: string
  /**
   * Finds the thing in the context's tenant, as far as the caller may see it, and says which store it belongs to; null: there is
   * none. Called in a transaction; by jobs too, which see all.
   */
  find(ctx: Ctx, id: string): Promise<{ storeId: string | null } | null>
  /** False: permission and store are not all that decides who sees the thing, so lists that do not name one leave its files out. */
  readonly listed: boolean
  /** Of one file, in bytes; never more than FILE_UPLOAD_MAX_SIZE. */
  readonly maxBytes: number | null
  /** Media types that are accepted: `image/*`, `application/pdf`. Null: all that FILE_ALLOWED_EXTENSIONS has. */
  readonly types: readonly string[] | null
  /** How many files one thing has at most. */
  readonly maxFiles: number | null
}

type FileRuleSpec = Pick<FileRule, 'view' | 'change' | 'find'> &
  Partial<Pick<FileRule, 'listed' | 'maxBytes' | 'types' | 'maxFiles'>> & {
    /** Only pictures that every browser shows. */
    picturesOnly?: boolean
  }

/** Pictures that browsers show. */
export const PICTURE_TYPES: readonly string[] = ['image/jpeg', 'image/png', 'image/webp', 'image/gif', 'image/avif']

/** Declares that things of a module have files. List it in the module's `files`. */
export function defineFiles(entityType: string, { picturesOnly = false, ...spec }: FileRuleSpec): FileRule {
  const types = spec.types ?? (picturesOnly ? PICTURE_TYPES : null)
  return Object.freeze({ entityType, listed: true, maxBytes: null, maxFiles: null, ...spec, types })
}
