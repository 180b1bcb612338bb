import { type Ctx, notFound, onBehalfOf } from '#kernel'
import { readToken, signToken } from '../files/index.ts'
import { findMember, tokenExpired } from '../members/index.ts'
import { findTenant } from '../tenants/index.ts'
import { findUser } from '../users/index.ts'
import { findExport } from './queries.ts'
import type { ExportRow } from './table.ts'

/** What the tokens of links are signed for: an export of a tenant, and the owner who was given it. */
const PURPOSE = 'tenant_export_link'

/** An address that downloads an export without a credential: good so long, and as long as the caller may have it. */
export function urlOf(ctx: Ctx, { tenant_id, id }: ExportRow, forMs: number): { url: string; expires_at: string } {
  const endsAtMs = ctx.clock.ms() + forMs
  const token = signToken(ctx.secrets, PURPOSE, { ids: [tenant_id, id, ctx.userId], endsAtMs })
  return {
    url: `${ctx.config.http.publicUrl}/api/v1/export-links/${token}`,
    expires_at: new Date(endsAtMs).toISOString(),
  }
}

/** An export, and the person to whom its link was given. */
export interface Opened {
  row: ExportRow
  person: { id: string; name: string }
}

/**
 * The export of a link. Throws 404 for one that is none, whose file is gone, or whose owner is none any more; 400 `token_expired`
 * when it has ended.
 */
export async function openLink(ctx: Ctx, token: string): Promise<Opened> {
  const link = readToken(ctx.secrets, PURPOSE, 3, token)
  if (!link) throw notFound()
  if (link.endsAtMs <= ctx.clock.ms()) throw tokenExpired()
  const [tenantId, id, personId] = link.ids as [string, string, string] // as many as were asked for
  return ctx.transaction((ctx) => findGiven(ctx, id, personId), { tenantId, readOnly: true })
}

async function findGiven(ctx: Ctx, id: string, personId: string): Promise<Opened> {
  const { tx, tenantId } = ctx
  const [tenant, row, member, user] = await Promise.all([
    findTenant(tx, tenantId),
    findExport(tx, tenantId, id),
    findMember(tx, tenantId, personId),
    findUser(tx, personId),
  ])
  if (tenant?.status !== 'active' || !row || row.storage_path === null) throw notFound()
  if (row.expires_at !== null && Date.parse(row.expires_at) <= ctx.clock.ms()) throw notFound()
  // Disabled here, or everywhere.
  if (member?.status !== 'active' || user?.status !== 'active') throw notFound()
  // Whoever has the link learns nothing about why it has ended.
  if (!(await onBehalfOf(ctx, personId)).can('tenant.export')) throw notFound()
  return { row, person: { id: personId, name: user.name } }
}
