import { type Ctx, type FileRule, invalidRequest, notFound, payloadTooLarge, unsupportedMediaType } from '#kernel'
import { fileConfiguration } from './configuration.ts'
import { matchesTypes } from './kinds.ts'
import type { FileRow } from './table.ts'

/** A thing that files belong to. */
export interface Owner {
  type: string
  id: string
}

type Belonging = Pick<FileRow, 'entity_type' | 'entity_id' | 'store_id'>

/** What a file is allowed to be. */
export interface Allowed {
  maxBytes: number
  types: readonly string[] | null
  maxFiles: number | null
}

/** What files of a thing, or of none, are allowed to be. */
export function allowedFor(ctx: Pick<Ctx, 'config' | 'registry'>, entityType: string | null): Allowed {
  const { FILE_UPLOAD_MAX_SIZE: most } = ctx.config.of(fileConfiguration)
  const rule = entityType === null ? undefined : ctx.registry.files.get(entityType)
  return {
    maxBytes: Math.min(most, rule?.maxBytes ?? most),
    types: rule?.types ?? null,
    maxFiles: rule?.maxFiles ?? null,
  }
}

/** The thing that a request names. Throws 400 unless it names all of one, of a kind that has files; null: it names none. */
export function ownerIn(
  { registry }: Pick<Ctx, 'registry'>,
  { entity_type: type, entity_id: id }: { entity_type?: string | undefined; entity_id?: string | undefined },
): Owner | null {
  if (type === undefined && id === undefined) return null
  if (type === undefined || id === undefined) {
    const missing = type === undefined ? '#/entity_type' : '#/entity_id'
    throw invalidRequest({ errors: [{ pointer: missing, detail: 'is required: both name what the file belongs to' }] })
  }
  if (!registry.files.has(type)) throw invalidRequest({ errors: [unknownType(registry)] })
  return { type, id: id.toLowerCase() }
}

function unknownType({ files }: Ctx['registry']) {
  const known = [...files.keys()].join(', ')
  const detail = known === '' ? 'names a kind of thing that has no files: none has' : `must be one of ${known}`
  return { pointer: '#/entity_type', detail }
}

/**
 * Finds the thing and asks whether the caller may add files to it. Resolves to the store that such files belong to. Throws
 * 404 where the caller sees no such thing, 403.
 */
export async function requireChange(ctx: Ctx, owner: Owner): Promise<string | null> {
  return requireRight(ctx, owner, 'change')
}

/** Throws 404 unless the caller sees what the file belongs to, 403 unless they may see, or change, its files. */
export async function requireFile(ctx: Ctx, file: Belonging, right: 'view' | 'change'): Promise<void> {
  if (file.entity_type === null || file.entity_id === null) return ctx.requireStore(file.store_id)
  await requireRight(ctx, { type: file.entity_type, id: file.entity_id }, right)
}

async function requireRight(ctx: Ctx, { type, id }: Owner, right: 'view' | 'change'): Promise<string | null> {
  // Without the module that knows the thing nobody can say who may see it.
  const rule: FileRule | undefined = ctx.registry.files.get(type)
  const found = await rule?.find(ctx, id)
  if (!rule || !found) throw notFound()
  ctx.requireStore(found.storeId)
  ctx.require(rule[right], found.storeId)
  return found.storeId
}

/** Throws 413 or 415 where a file is not what its owner takes. */
export function requireFits(
  { maxBytes, types }: Allowed,
  { size, contentType }: { size: number; contentType: string },
  at: { size: string; type: string } = { size: '#/file', type: '#/file' },
): void {
  requireSize(maxBytes, size, at.size)
  if (types && !matchesTypes(contentType, types)) {
    const detail = `is ${contentType}; what it belongs to takes ${types.join(', ')}`
    throw unsupportedMediaType({ errors: [{ pointer: at.type, detail }] })
  }
}

/** Throws 413 for a file of so many bytes. */
export function requireSize(maxBytes: number, bytes: number, pointer = '#/file'): void {
  if (bytes <= maxBytes) return
  throw payloadTooLarge({ errors: [{ pointer, detail: `has more than ${maxBytes} bytes` }] })
}
