import {
  AppError,
  type Ctx,
  type FormFile,
  type FormUpload,
  fromNow,
  invalidRequest,
  isUuid,
  planLimitReached,
  unsupportedMediaType,
} from '#kernel'
import { fileConfiguration } from '../configuration.ts'
import { HEAD_BYTES, judgeType } from '../judge-type.ts'
import { readFilename } from '../names.ts'
import { allowedFor, type Owner, ownerIn, requireChange, requireFits, requireSize } from '../rules.ts'
import type { File, NewFile } from '../schema.ts'
import type { UploadRow } from '../table.ts'
import { readHead } from './head.ts'
import { metered } from './meter.ts'
import { updateUpload } from './queries.ts'
import { finishUpload, giveUp, openUpload, SILENT_MS } from './reservation.ts'

/** What may follow the file of a form, in bytes. */
const MOST_AROUND = 128 * 1024

/**
 * Receives the file of a form. Its quota is taken as its bytes arrive, and nothing of it stays when anything fails: neither row
 * nor object nor quota. What the fields say may come after the file, so it is asked when all is there, too.
 */
export async function receiveForm(ctx: Ctx, form: FormUpload<NewFile>): Promise<File> {
  const part = await form.file()
  const early = await ownerBefore(ctx, part)
  const { maxBytes } = allowedFor(ctx, early?.type ?? null)
  // Fields that follow are taken for a part of it.
  requireSize(maxBytes + MOST_AROUND, part.expected ?? 0)
  const name = requireName(part.filename)
  const { head, content } = await readHead(part.content, HEAD_BYTES)
  const contentType = await requireType(ctx, { filename: name.filename, declared: part.contentType, head })
  const upload = await open(ctx, { ...name, contentType, expected: part.expected ?? 0 })
  try {
    const written = await ctx.storage.write(upload.storage_path, metered(ctx, upload, content, maxBytes), {
      contentType,
    })
    const fields = await form.fields()
    // It may have taken hours: what the caller could do then counts for nothing.
    const caller = await ctx.proveAgain()
    return await caller.transaction(async (ctx) => {
      await place(ctx, upload, fields, { contentType, size: written.bytes })
      return finishUpload(ctx, upload, { ...written, contentType })
    })
  } catch (error) {
    await leave(ctx, upload)
    throw error
  }
}

interface Announced {
  original: string
  filename: string
  contentType: string
  /** Bytes of the file, and of fields behind it. */
  expected: number
}

/** Begins the upload. Where the last room of the quota is not enough for the fields as well, the end says what is. */
async function open(ctx: Ctx, { expected, ...file }: Announced): Promise<UploadRow> {
  const reserving = (reserved: number) =>
    ctx.transaction((ctx) =>
      openUpload(ctx, {
        kind: 'form',
        ...{ filename: file.filename, original_filename: file.original, content_type: file.contentType, size: null },
        ...{ entity_type: null, entity_id: null, store_id: null, is_public: false },
        reserved,
        expiresAt: fromNow(ctx.clock, SILENT_MS),
      }),
    )
  return reserving(expected).catch((error: unknown) => {
    if (!(error instanceof AppError) || error.code !== planLimitReached.code) throw error
    return reserving(Math.max(0, expected - MOST_AROUND))
  })
}

/** Asks early what can be asked early: whether the thing is there, and the caller may add files to it. */
async function ownerBefore(ctx: Ctx, { early }: FormFile): Promise<Owner | null> {
  const { entity_type, entity_id } = early
  // What is wrong with the fields is said of all of them at once, when all are there.
  if (entity_type === undefined || !isUuid(entity_id) || !ctx.registry.files.has(entity_type)) return null
  const owner = { type: entity_type, id: entity_id.toLowerCase() }
  await ctx.transaction((ctx) => requireChange(ctx, owner), { readOnly: true })
  return owner
}

/** Throws 400 at the place where the name stands. */
export function requireName(given: string | null, pointer = '#/file'): { original: string; filename: string } {
  const name = readFilename(given)
  if ('problem' in name) throw invalidRequest({ errors: [{ pointer, detail: `is refused: ${name.problem}` }] })
  return name
}

/** Throws 400 for an empty file, and 415 when name, declared type and content do not agree or are not taken. */
export async function requireType(
  ctx: Pick<Ctx, 'config'>,
  { filename, declared, head }: { filename: string; declared: string | null; head: Buffer },
): Promise<string> {
  if (head.length === 0) throw invalidRequest({ errors: [{ pointer: '#/file', detail: 'is empty' }] })
  const { FILE_ALLOWED_EXTENSIONS: allowed } = ctx.config.of(fileConfiguration)
  const judged = await judgeType({ filename, declared: declared ?? undefined, head, allowed })
  if ('problem' in judged)
    throw unsupportedMediaType({ errors: [{ pointer: '#/file', detail: `is refused: ${judged.problem}` }] })
  return judged.contentType
}

/** Says where an upload belongs, now that all fields are there, and whether it may. */
async function place(
  ctx: Ctx,
  upload: UploadRow,
  fields: NewFile,
  file: { contentType: string; size: number },
): Promise<void> {
  const owner = ownerIn(ctx, fields)
  const store_id = owner ? await requireChange(ctx, owner) : ownStore(ctx)
  requireFits(allowedFor(ctx, owner?.type ?? null), file)
  const entity = { entity_type: owner?.type ?? null, entity_id: owner?.id ?? null }
  await updateUpload(ctx.tx, upload, { ...entity, store_id, is_public: fields.is_public ?? false })
}

/** The store that a file of nothing belongs to: that of the request. Throws 404 for somebody who may not speak for it. */
export function ownStore(ctx: Ctx): string | null {
  ctx.requireStore(ctx.storeId)
  return ctx.storeId
}

/** What cannot be undone now is undone when the upload has ended by itself. */
async function leave(ctx: Ctx, upload: UploadRow): Promise<void> {
  try {
    await ctx.transaction((ctx) => giveUp(ctx, upload))
  } catch (error) {
    ctx.log.warn({ err: error, upload: upload.id }, 'an upload that failed keeps its quota until it ends')
  }
}
