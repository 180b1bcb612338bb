import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { type Ctx, notFound } from '#kernel'
import type { EncodedPicture } from './encode.ts'
import { type PictureForm, pictureEncoder, takeIn } from './encoder.ts'
import { deletePicture } from './jobs.ts'
import { findPicture, insertPicture, updateState } from './queries.ts'
import { removePicture } from './remove.ts'
import type { PictureRow } from './table.ts'
import { keyOf, type PictureKind } from './variants.ts'

/**
 * Takes in the picture of a form, keeps its variants, and has `attach` say in a transaction whose it is: by
 * `replacePicture`. What was kept goes again when that fails. No transaction may be open. Throws 400, 413 and 415 at
 * `#/file`, 429 when the caller sends more than two at once, 503 when too many come at once, and what `attach` throws.
 */
export async function keepPicture<T>(
  ctx: Ctx,
  kind: PictureKind,
  form: PictureForm,
  attach: (ctx: Ctx, id: string) => Promise<T>,
): Promise<T> {
  const picture = await takeIn(ctx.use(pictureEncoder), senderOf(ctx), kind, form)
  const id = await addPending(ctx, kind, picture)
  try {
    await writeVariants(ctx, id, picture)
    return await ctx.transaction((ctx) => attach(ctx, id))
  } catch (error) {
    await giveUp(ctx, id)
    throw error
  }
}

/**
 * Shows a picture in place of another one, each null for none, in the transaction that changes what refers to them: the
 * row of the owner is locked by it. The other one's files go after the commit.
 */
export async function replacePicture(ctx: Ctx, before: string | null, after: string | null): Promise<void> {
  if (before === after) return
  const now = ctx.clock.now()
  if (after !== null && !(await updateState(ctx.tx, after, { from: 'pending', to: 'attached', now })))
    throw new Error(`The picture ${after} is shown by somebody already, or is gone`)
  if (before === null || !(await updateState(ctx.tx, before, { from: 'attached', to: 'removed', now }))) return
  await ctx.enqueue(deletePicture, { id: before })
}

/** A picture that somebody shows. Throws 404. */
export async function getPicture(ctx: Ctx, id: string): Promise<PictureRow> {
  const picture = await findPicture(ctx.tx, id, 'attached')
  if (!picture) throw notFound()
  return picture
}

/** Where a picture is to be seen, by everybody; null for none. With `?size=` in another size. */
export function pictureUrl({ config }: Pick<Ctx, 'config'>, id: string): string
export function pictureUrl({ config }: Pick<Ctx, 'config'>, id: string | null): string | null
export function pictureUrl({ config }: Pick<Ctx, 'config'>, id: string | null): string | null {
  return id === null ? null : `${config.http.publicUrl}/api/v1/pictures/${id}`
}

/** A person by whichever credentials, and with the keys that they made. */
const senderOf = ({ principal }: Ctx): string => principal?.userId ?? principal?.createdBy ?? principal?.key ?? 'system'

async function addPending(ctx: Ctx, kind: PictureKind, { width, height }: EncodedPicture): Promise<string> {
  const id = randomUUID()
  const now = ctx.clock.now()
  const storage_backend = ctx.storage.backend
  const row = { id, kind, state: 'pending', storage_backend, width, height, created_at: now, updated_at: now } as const // a state is a word
  await ctx.transaction(({ tx }) => insertPicture(tx, row))
  return id
}

async function writeVariants({ storage }: Ctx, id: string, { variants }: EncodedPicture): Promise<void> {
  for (const { size, format, content } of variants)
    await storage.write(keyOf(id, size, format), Readable.from([content]), { contentType: `image/${format}` })
}

/** Removes what nobody shows at once. Where that fails as well, or the process ends, the sweep does it. */
async function giveUp(ctx: Ctx, id: string): Promise<void> {
  try {
    const now = ctx.clock.now()
    // False where the transaction went through although nobody heard of it.
    if (await ctx.transaction(({ tx }) => updateState(tx, id, { from: 'pending', to: 'removed', now })))
      await removePicture(ctx, id)
  } catch (error) {
    ctx.log.warn({ err: error, picture_id: id }, 'a picture that nobody shows is left for the sweep')
  }
}
