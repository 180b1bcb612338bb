import {
  Answer,
  Described,
  defineRoute,
  notFound,
  type Route,
  rangeNotSatisfiable,
  type StreamBody,
  Streamed,
  Type,
  Uuid,
  WantedPart,
} from '#kernel'
import { tokenExpired } from '../../members/index.ts'
import { fileLocked } from '../errors.ts'
import { seeFile } from '../operations.ts'
import { findFile } from '../queries.ts'
import { DownloadQuery, FileParams, Link, NewLink } from '../schema.ts'
import { sendFile } from './download.ts'
import { linkFile, openLink } from './links.ts'
import { requireOpen } from './open-tenant.ts'

const download = {
  method: 'GET',
  transaction: 'manual',
  // It is recorded who took it.
  impersonation: 'always',
  query: DownloadQuery,
  headers: WantedPart,
  response: { 200: Streamed, 206: Streamed, 304: null },
  // The content type of the file itself.
  produces: '*/*',
} as const // words and statuses, as a route wants them

/** Whoever has a public address may keep what it gave for so long. */
const PUBLIC_SECONDS = 300

export const downloadRoutes: readonly Route[] = [
  defineRoute({
    ...download,
    path: '/files/:id/download',
    summary: 'Download a file',
    description: 'Whole, or one part of it. Its `ETag` is its checksum. It is recorded who took it.',
    access: { permission: 'file.view', store: { rows: 'files.store_id' } },
    params: FileParams,
    errors: [fileLocked, rangeNotSatisfiable],
    handler: async (ctx, { params, headers, query }) => {
      const file = await ctx.transaction((ctx) => seeFile(ctx, params.id), { readOnly: true })
      return sendFile(ctx, file, headers, query.inline)
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/files/:id/link',
    summary: 'Make a link that downloads a file',
    description:
      'Whoever has it needs no credential. It ends with the file, with the rights of who made it, and at `expires_at`. People alone make links.',
    access: { permission: 'file.view', store: { rows: 'files.store_id' } },
    callers: 'people',
    params: FileParams,
    body: NewLink,
    response: { 201: Link },
    location: ({ url }) => new URL(url).pathname,
    handler: (ctx, { params, body }) => linkFile(ctx, params.id, body),
  }),
  defineRoute({
    ...download,
    path: '/file-links/:token',
    name: 'downloadByLink',
    summary: 'Download a file by a link',
    access: 'public',
    rateLimit: 'media',
    params: Type.Object({ token: Type.String({ maxLength: 200, description: 'What the link says' }) }),
    errors: [notFound, tokenExpired, fileLocked, rangeNotSatisfiable],
    handler: async (ctx, { params, headers, query }) =>
      sendFile(ctx, await openLink(ctx, params.token), headers, query.inline),
  }),
  defineRoute({
    ...download,
    path: '/public-files/:tenant_id/:id',
    name: 'downloadPublicFile',
    summary: 'Download a file that is public',
    access: 'public',
    rateLimit: 'media',
    params: Type.Object({
      tenant_id: Described(Uuid, 'The tenant that it belongs to'),
      id: Described(Uuid, 'The id of the file'),
    }),
    errors: [notFound, fileLocked, rangeNotSatisfiable],
    handler: async (ctx, { params, headers, query }) => {
      const file = await ctx.transaction(
        async (ctx) => {
          await requireOpen(ctx)
          return findFile(ctx.tx, params.tenant_id, params.id)
        },
        { tenantId: params.tenant_id, readOnly: true },
      )
      if (!file?.is_public) throw notFound()
      const answer = sendFile(ctx, file, headers, query.inline)
      return new Answer<StreamBody>(answer.status, answer.body, {
        ...answer.headers,
        'cache-control': `public, max-age=${PUBLIC_SECONDS}`,
      })
    },
  }),
]
