import { conflict, defineRoute, notFound, outsideTenants, type Route } from '#kernel'
import {
  exportRequestedByOperator,
  getExport,
  StartedExport,
  startExport,
  TenantExport,
} from '../tenant-exports/index.ts'
import { requireWhole } from '../tenant-removal/index.ts'
import { getTenant } from '../tenants/index.ts'
import { TenantParams } from './schema.ts'
import { inTenant } from './tenants.ts'

const common = {
  path: '/admin/tenants/:id/export',
  access: { operator: ['operations'] },
  entersTenants: true,
  params: TenantParams,
} as const // words are types

/** Exports of tenants by who runs the installation: for whom a tenant cannot ask itself any more, or left that to. */
export const tenantExportRoutes: readonly Route[] = [
  defineRoute({
    ...common,
    method: 'POST',
    name: 'startExportOfTenant',
    summary: 'Export everything that a tenant has',
    description:
      'A job writes it, also of a tenant that is suspended or deleted. It is recorded in both logs, and the owners of the tenant are told of it once it is done, unless the tenant is deleted. While one is being written, it is the answer to everybody who asks.',
    response: { 202: StartedExport },
    errors: [conflict],
    handler: (ctx, { params }) =>
      inTenant(ctx, params.id, async (ctx) => {
        const { name } = await getTenant(ctx.tx, ctx.tenantId)
        await requireWhole(ctx)
        const started = await startExport(ctx)
        const after = { id: ctx.tenantId, ...started }
        await outsideTenants(ctx).emit(exportRequestedByOperator, { after, label: name })
        return started
      }),
  }),
  defineRoute({
    ...common,
    method: 'GET',
    name: 'getExportOfTenant',
    summary: 'See how far the export of a tenant has come, and get a link to it',
    description:
      'The one that was asked for last, by whomever. The link is good for an hour, and as long as you have the role; that it was downloaded is recorded in both logs.',
    response: { 200: TenantExport },
    errors: [notFound],
    handler: (ctx, { params }) =>
      inTenant(ctx, params.id, async (ctx) => {
        await getTenant(ctx.tx, ctx.tenantId)
        return getExport(ctx, 'operator')
      }),
  }),
]
