import { type Ctx, fromNow, SECONDS, unsupportedMediaType } from '#kernel'
import { fileConfiguration } from '../configuration.ts'
import { judgeName } from '../judge-type.ts'
import { uploadUrl } from '../present.ts'
import { allowedFor, ownerIn, requireChange, requireFits, requireSize } from '../rules.ts'
import type { DirectUpload, NewUpload } from '../schema.ts'
import { signToken } from '../signed-token.ts'
import type { UploadRow } from '../table.ts'
import { COMPLETION_MS } from './claim.ts'
import { ownStore, requireName } from './form.ts'
import { piecePath } from './pieces.ts'
import { giveUp, openUpload, requireRoom } from './reservation.ts'

/** What the tokens of our own addresses are signed for: an upload of a tenant. */
export const PURPOSE = 'file_upload'
/** Where size and type stand in the body. */
const AT = { size: '#/size', type: '#/content_type' }
/** How long the address is good for. An upload that has begun by then may go on. */
const ADDRESS_SECONDS = 3_600

/**
 * Begins an upload that goes straight to the storage. All of its quota is taken now. Where the storage cannot be reached by
 * clients, the address is one of ours, and everything else is the same.
 */
export async function beginDirect(ctx: Ctx, input: NewUpload): Promise<DirectUpload> {
  const { original, filename } = requireName(input.filename, '#/filename')
  const contentType = requireDeclared(ctx, filename, input.content_type)
  const owner = ownerIn(ctx, input)
  const seconds = ADDRESS_SECONDS
  const upload = await ctx.transaction(async (ctx) => {
    const store_id = owner ? await requireChange(ctx, owner) : ownStore(ctx)
    requireSize(ctx.storage.largestDirect, input.size, AT.size)
    requireFits(allowedFor(ctx, owner?.type ?? null), { size: input.size, contentType }, AT)
    const entity = { entity_type: owner?.type ?? null, entity_id: owner?.id ?? null }
    await requireRoom(ctx, entity)
    return openUpload(ctx, {
      kind: 'direct',
      ...{ filename, original_filename: original, content_type: input.content_type, size: input.size, store_id },
      ...{ ...entity, is_public: input.is_public ?? false },
      reserved: input.size,
      expiresAt: fromNow(ctx.clock, COMPLETION_MS),
    })
  })
  const request = await addressOf(ctx, upload, input, seconds).catch(async (error: unknown) => {
    await ctx.transaction((ctx) => giveUp(ctx, upload))
    throw error
  })
  return { id: upload.id, ...request, expires_at: fromNow(ctx.clock, seconds * SECONDS) }
}

/** Of the kind of file that the name and the declared type say; the content is compared when it is there. */
function requireDeclared(ctx: Ctx, filename: string, declared: string): string {
  const { FILE_ALLOWED_EXTENSIONS: allowed } = ctx.config.of(fileConfiguration)
  const named = judgeName({ filename, declared, allowed })
  if ('contentType' in named) return named.contentType
  throw unsupportedMediaType({ errors: [{ pointer: AT.type, detail: `is refused: ${named.problem}` }] })
}

async function addressOf(ctx: Ctx, upload: UploadRow, { size, content_type }: NewUpload, expiresInSeconds: number) {
  const wanted = { bytes: size, contentType: content_type, expiresInSeconds }
  const path = piecePath(upload.storage_path, 0)
  const straight = await ctx.storages.of(upload.storage_backend).presignUpload(path, wanted)
  if (straight) return { ...straight, headers: { ...straight.headers } }
  const endsAtMs = ctx.clock.ms() + expiresInSeconds * SECONDS
  const token = signToken(ctx.secrets, PURPOSE, { ids: [upload.tenant_id, upload.id], endsAtMs })
  return { method: 'PUT' as const, url: uploadUrl(ctx, token), headers: { 'content-type': content_type } } // the word is the type
}
