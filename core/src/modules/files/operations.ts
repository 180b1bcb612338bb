import { type Ctx, conflict, invalidRequest, page, requireOwnHand } from '#kernel'
import { lockStoreThere } from '../stores/index.ts'
import { fileRestored, fileTrashed, fileUpdated } from './events.ts'
import { extensionOf } from './kinds.ts'
import { readFilename } from './names.ts'
import { presentFile } from './present.ts'
import { getFile, listFiles, lockFile, type Sight, updateFile } from './queries.ts'
import { requireFile } from './rules.ts'
import type { File, FilePatch, FileQuery } from './schema.ts'
import type { FileRow } from './table.ts'
import { requireRoom } from './uploads/reservation.ts'

/** The files that the caller sees, newest first. */
export async function pageFiles(ctx: Ctx, query: FileQuery) {
  const { entity_type: type, entity_id: id } = query
  if (type !== undefined && id !== undefined)
    // It is asked for the thing itself, in the store where that is.
    await requireFile(ctx, { entity_type: type, entity_id: id, store_id: null }, 'view')
  const isNamed = type !== undefined && id !== undefined
  const rows = await page(ctx, listFiles(ctx.tx, ctx.tenantId, query, isNamed ? null : sightOf(ctx)))
  return { ...rows, data: rows.data.map((row) => presentFile(ctx, row)) }
}

/** Of which kinds of things the caller sees files in a list that names none of them. */
function sightOf(ctx: Ctx): Sight {
  const rules = [...ctx.registry.files.values()].filter(({ listed }) => listed)
  const held = rules.map(({ entityType, view }) => ({ type: entityType, stores: ctx.storesWith(view) }))
  return {
    everywhere: held.flatMap(({ type, stores }) => (stores === null ? type : [])),
    inStores: held.flatMap(({ type, stores }) => (stores === null ? [] : { type, stores })),
  }
}

/** A file that the caller sees. Throws 404, and 403. */
export async function seeFile(ctx: Ctx, id: string): Promise<FileRow> {
  const file = await getFile(ctx.tx, ctx.tenantId, id)
  await requireFile(ctx, file, 'view')
  return file
}

/** As above, locked, and the caller may change it. */
async function holdFile(ctx: Ctx, id: string): Promise<FileRow> {
  const file = await lockFile(ctx.tx, ctx.tenantId, id)
  await requireFile(ctx, file, 'change')
  return file
}

/**
 * Renames a file, or opens it to everybody, which nobody does as somebody else. Throws 404, 403, 409 for one in the trash.
 */
export async function changeFile(ctx: Ctx, id: string, { filename, is_public }: FilePatch): Promise<File> {
  const before = await holdFile(ctx, id)
  if (before.trashed_at !== null) throw conflict({ detail: 'The file is in the trash: restore it first' })
  const name = filename === undefined ? before.filename : renamed(before, filename)
  const change = { filename: name, is_public: is_public ?? before.is_public }
  // Its address would be good for ever, as a link is for a while.
  if (change.is_public && !before.is_public) requireOwnHand(ctx)
  if (name === before.filename && change.is_public === before.is_public) return presentFile(ctx, before)
  return save(ctx, before, change, fileUpdated)
}

/** The ending says what the content is, which was compared with it. */
function renamed(file: FileRow, given: string): string {
  const wrong = (detail: string) => invalidRequest({ errors: [{ pointer: '#/filename', detail }] })
  const name = readFilename(given)
  if ('problem' in name) throw wrong(`is refused: ${name.problem}`)
  const ending = extensionOf(file.filename)
  if (extensionOf(name.filename) !== ending) throw wrong(`must end in .${ending}, as the content is`)
  return name.filename
}

/** Puts a file into the trash: nobody downloads it, and for 30 days it can be restored. It still counts in the quota. */
export async function trashFile(ctx: Ctx, id: string): Promise<undefined> {
  const before = await holdFile(ctx, id)
  if (before.trashed_at === null) await save(ctx, before, { trashed_at: ctx.clock.now() }, fileTrashed)
}

/** Takes a file out of the trash. Throws 404, also when its store is gone, 403, 409 when what it belongs to is full. */
export async function restoreFile(ctx: Ctx, id: string): Promise<File> {
  const before = await holdFile(ctx, id)
  if (before.trashed_at === null) return presentFile(ctx, before)
  if (before.store_id !== null) await lockStoreThere(ctx.tx, ctx.tenantId, before.store_id)
  await requireRoom(ctx, before)
  return save(ctx, before, { trashed_at: null }, fileRestored)
}

async function save(
  ctx: Ctx,
  before: FileRow,
  change: Partial<Pick<FileRow, 'filename' | 'is_public' | 'trashed_at'>>,
  event: typeof fileUpdated,
): Promise<File> {
  const after = await updateFile(ctx.tx, before, { ...change, updated_at: ctx.clock.now() })
  const file = presentFile(ctx, after)
  await ctx.emit(event, { before: presentFile(ctx, before), after: file, label: file.filename, storeId: file.store_id })
  return file
}
