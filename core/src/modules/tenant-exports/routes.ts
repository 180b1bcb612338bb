import { defineRoute, notFound, type Route, rangeNotSatisfiable, Streamed, Type, WantedPart } from '#kernel'
import { tokenExpired } from '../members/index.ts'
import { sendExport } from './download.ts'
import { openLink } from './links.ts'
import { getExport, startExport } from './operations.ts'
import { StartedExport, TenantExport } from './schema.ts'

const access = { permission: 'tenant.export' }
const callers = 'people'
const impersonation = 'refused'

export const tenantExportRoutes: readonly Route[] = [
  defineRoute({
    method: 'POST',
    path: '/tenants/current/export',
    name: 'startTenantExport',
    summary: 'Export everything that the tenant has',
    description:
      'A job writes one ZIP file: the rows of every table, the people, the files, and a manifest. Owners are told when it is done. While one is being written, it is the answer to everybody who asks.',
    access,
    callers,
    impersonation,
    rateLimit: 'tenant_exports',
    response: { 202: StartedExport },
    handler: startExport,
  }),
  defineRoute({
    method: 'GET',
    path: '/tenants/current/export',
    name: 'getTenantExport',
    summary: 'See how far the export has come, and get a link to it',
    description: 'The one that was asked for last. It is kept for seven days, or until the next one is done.',
    access,
    callers,
    impersonation,
    response: { 200: TenantExport },
    errors: [notFound],
    handler: (ctx) => getExport(ctx),
  }),
  defineRoute({
    method: 'GET',
    path: '/export-links/:token',
    name: 'downloadTenantExport',
    summary: 'Download an export by a link',
    description: 'Whole, or one part of it. Its `ETag` is its checksum. It is recorded who took it.',
    access: 'public',
    impersonation,
    transaction: 'manual',
    rateLimit: 'media',
    params: Type.Object({ token: Type.String({ maxLength: 200, description: 'What the link says' }) }),
    headers: WantedPart,
    response: { 200: Streamed, 206: Streamed, 304: null },
    produces: 'application/zip',
    errors: [notFound, tokenExpired, rangeNotSatisfiable],
    handler: async (ctx, { params, headers }) => sendExport(ctx, await openLink(ctx, params.token), headers),
  }),
]
