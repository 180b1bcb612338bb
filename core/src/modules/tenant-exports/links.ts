import { type Actor, type Ctx, notFound, onBehalfOf } from '#kernel'
import { readToken, signToken } from '../files/index.ts'
import { findMember, tokenExpired } from '../members/index.ts'
import { findTenant } from '../tenants/index.ts'
import { findUser, rolesOfOperator } from '../users/index.ts'
import { findExport } from './queries.ts'
import type { ExportRow } from './table.ts'

/** Who was given a link: an owner of the tenant, or somebody who runs the installation. */
export type LinkHolder = 'owner' | 'operator'

/** What the tokens of links are signed for: an export of a tenant, and the person who was given it. */
const PURPOSES = { owner: 'tenant_export_link', operator: 'tenant_export_operator_link' } as const // as the type above

/** An address that downloads an export without a credential: good so long, and as long as the caller may have it. */
export function urlOf(
  ctx: Ctx,
  { tenant_id, id }: ExportRow,
  { holder, forMs }: { holder: LinkHolder; forMs: number },
): { url: string; expires_at: string } {
  const endsAtMs = ctx.clock.ms() + forMs
  const token = signToken(ctx.secrets, PURPOSES[holder], { ids: [tenant_id, id, ctx.userId], endsAtMs })
  return {
    url: `${ctx.config.http.publicUrl}/api/v1/export-links/${token}`,
    expires_at: new Date(endsAtMs).toISOString(),
  }
}

/** An export, and the person to whom its link was given. */
export interface Opened {
  row: ExportRow
  person: Actor
  holder: LinkHolder
}

/**
 * The export of a link. Throws 404 for one that is none, whose file is gone, or whose owner is none any more; 400 `token_expired`
 * when it has ended.
 */
export async function openLink(ctx: Ctx, token: string): Promise<Opened> {
  const links = (['owner', 'operator'] as const).map((holder) => ({
    holder,
    link: readToken(ctx.secrets, PURPOSES[holder], 3, token),
  })) // as the type
  const { holder, link } = links.find(({ link }) => link) ?? {}
  if (!link || !holder) throw notFound()
  if (link.endsAtMs <= ctx.clock.ms()) throw tokenExpired()
  const [tenantId, id, personId] = link.ids as [string, string, string] // as many as were asked for
  const find = { owner: findGiven, operator: findForOperator }[holder]
  return ctx.transaction((ctx) => find(ctx, id, personId), { tenantId, readOnly: true })
}

async function findGiven(ctx: Ctx, id: string, personId: string): Promise<Opened> {
  const { tx, tenantId } = ctx
  const [tenant, row, member, user] = await Promise.all([
    findTenant(tx, tenantId),
    findExport(tx, tenantId, id),
    findMember(tx, tenantId, personId),
    findUser(tx, personId),
  ])
  if (tenant?.status !== 'active' || !row || !isThere(ctx, row)) throw notFound()
  // Disabled here, or everywhere.
  if (member?.status !== 'active' || user?.status !== 'active') throw notFound()
  // Whoever has the link learns nothing about why it has ended.
  if (!(await onBehalfOf(ctx, personId)).can('tenant.export')) throw notFound()
  return { row, person: { type: 'user', id: personId, label: user.name, impersonatorId: null }, holder: 'owner' }
}

/** Also of a tenant that is suspended or deleted: as long as they may export tenants. */
async function findForOperator(ctx: Ctx, id: string, personId: string): Promise<Opened> {
  const { tx, tenantId } = ctx
  const [row, user] = await Promise.all([findExport(tx, tenantId, id), findUser(tx, personId)])
  if (!row || !isThere(ctx, row) || user?.status !== 'active') throw notFound()
  if (!rolesOfOperator(user).some((role) => role === 'operations' || role === 'all')) throw notFound()
  return { row, person: { type: 'admin', id: personId, label: user.name, impersonatorId: null }, holder: 'operator' }
}

const isThere = ({ clock }: Ctx, { storage_path, expires_at }: ExportRow) =>
  storage_path !== null && (expires_at === null || Date.parse(expires_at) > clock.ms())
