import { type Ctx, notFound, onBehalfOf, SECONDS } from '#kernel'
import { findMember, tokenExpired } from '../../members/index.ts'
import { findUser } from '../../users/index.ts'
import { fileLinked } from '../events.ts'
import { seeFile } from '../operations.ts'
import { linkUrl, presentFile } from '../present.ts'
import { findFile } from '../queries.ts'
import { requireFile } from '../rules.ts'
import type { Link, NewLink } from '../schema.ts'
import { readToken, signToken } from '../signed-token.ts'
import type { FileRow } from '../table.ts'
import { requireOpen } from './open-tenant.ts'

const DEFAULT_SECONDS = 3_600
/** What the tokens of links are signed for: a file of a tenant, and who gave it away. */
const PURPOSE = 'file_link'

/** Makes a link that downloads a file without a credential. It is worth what its giver may see when it is used. */
export async function linkFile(ctx: Ctx, id: string, { expires_in = DEFAULT_SECONDS }: NewLink): Promise<Link> {
  const file = await seeFile(ctx, id)
  if (file.trashed_at !== null) throw notFound()
  const endsAtMs = ctx.clock.ms() + expires_in * SECONDS
  const token = signToken(ctx.secrets, PURPOSE, { ids: [file.tenant_id, id, ctx.userId], endsAtMs })
  await ctx.emit(fileLinked, { after: presentFile(ctx, file), label: file.filename, storeId: file.store_id })
  return { url: linkUrl(ctx, token), expires_at: new Date(endsAtMs).toISOString() }
}

/** The file of a link. Throws 404 for one that is none, or whose file or giver is gone; 400 `token_expired` when it has ended. */
export async function openLink(ctx: Ctx, token: string): Promise<FileRow> {
  const link = readToken(ctx.secrets, PURPOSE, 3, token)
  if (!link) throw notFound()
  if (link.endsAtMs <= ctx.clock.ms()) throw tokenExpired()
  const [tenantId, fileId, giverId] = link.ids as [string, string, string] // as many as were asked for
  return ctx.transaction((ctx) => findGiven(ctx, fileId, giverId), { tenantId, readOnly: true })
}

async function findGiven(ctx: Ctx, fileId: string, giverId: string): Promise<FileRow> {
  const { tenantId } = ctx
  await requireOpen(ctx)
  const [file, giver, user] = await Promise.all([
    findFile(ctx.tx, tenantId, fileId),
    findMember(ctx.tx, tenantId, giverId),
    findUser(ctx.tx, giverId),
  ])
  // Disabled here, or everywhere.
  if (!file || giver?.status !== 'active' || user?.status !== 'active') throw notFound()
  const person = await onBehalfOf(ctx, giverId)
  if (!person.can('file.view', file.store_id)) throw notFound()
  // Whoever has the link learns nothing about why it has ended.
  await requireFile(person, file, 'view').catch(() => Promise.reject(notFound()))
  return file
}
