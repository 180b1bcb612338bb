import { type BodyStream, type Ctx, invalidRequest, notFound, payloadTooLarge, unsupportedMediaType } from '#kernel'
import { requireOpen } from '../download/open-tenant.ts'
import { readToken } from '../signed-token.ts'
import type { UploadRow } from '../table.ts'
import { busy, claimTimes, holding } from './claim.ts'
import { PURPOSE } from './direct.ts'
import { updateClaim } from './direct-queries.ts'
import { piecePath } from './pieces.ts'
import { findUpload } from './queries.ts'
import { deleteWriter } from './writer-queries.ts'

/**
 * Takes in what a client sends to an address of ours, one at a time. Throws 404 for an address that is none or no longer, 409
 * while another request sends or completes, 415 for another type and 400 or 413 for another size than was announced:
 * then what was there before stays.
 */
export async function receiveDirect(ctx: Ctx, token: string, { content, contentType }: BodyStream): Promise<undefined> {
  const upload = await claim(ctx, token)
  const { tenant_id: tenantId, size, content_type, storage_path, storage_backend } = upload
  const storage = ctx.storages.of(storage_backend)
  const path = piecePath(storage_path, 0)
  try {
    if (contentType !== content_type)
      throw unsupportedMediaType({ detail: `Send it as ${content_type}, as was announced` })
    await storage.write(path, exactly(holding(ctx, upload, content), size ?? 0))
  } finally {
    const isThere = await ctx.transaction(({ tx }) => deleteWriter(tx, upload), { tenantId })
    // It was given up, or somebody has gone on: of an upload that is gone nothing stays.
    if (!isThere && !(await find(ctx, upload))) await storage.delete(path)
  }
  if (!(await find(ctx, upload))) throw notFound()
}

async function claim(ctx: Ctx, token: string): Promise<UploadRow> {
  const signed = readToken(ctx.secrets, PURPOSE, 2, token)
  if (!signed || signed.endsAtMs <= ctx.clock.ms()) throw notFound()
  const [tenantId, id] = signed.ids as [string, string] // as many as were asked for
  return ctx.transaction(
    async (ctx) => {
      await requireOpen(ctx)
      const found = await findUpload(ctx.tx, tenantId, id)
      if (found?.kind !== 'direct') throw notFound()
      const claimed = await updateClaim(ctx.tx, found, claimTimes(ctx))
      if (!claimed) throw busy()
      return claimed
    },
    { tenantId },
  )
}

const find = (ctx: Ctx, { tenant_id: tenantId, id }: UploadRow): Promise<UploadRow | undefined> =>
  ctx.transaction(({ tx }) => findUpload(tx, tenantId, id), { tenantId, readOnly: true })

async function* exactly(content: AsyncIterable<Buffer>, bytes: number): AsyncGenerator<Buffer> {
  let received = 0
  for await (const chunk of content) {
    received += chunk.length
    if (received > bytes)
      throw payloadTooLarge({ detail: `The body has more than the ${bytes} bytes that were announced` })
    yield chunk
  }
  if (received < bytes)
    throw invalidRequest({ detail: `The body has ${received} bytes, not the ${bytes} that were announced` })
}
