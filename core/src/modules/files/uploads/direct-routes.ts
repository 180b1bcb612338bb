import {
  conflict,
  Described,
  defineRoute,
  notFound,
  payloadTooLarge,
  type Route,
  requestTimeout,
  storageFull,
  Type,
  Uuid,
  unsupportedMediaType,
} from '#kernel'
import { DirectUpload, File, NewUpload } from '../schema.ts'
import { beginDirect } from './direct.ts'
import { completeDirect } from './direct-complete.ts'
import { receiveDirect } from './direct-receive.ts'
import { STORAGE } from './reservation.ts'

const access = { permission: 'file.create', store: { rows: 'files.store_id' } } as const // words, as a route wants them

/** Uploads that go straight to the storage. */
export const directRoutes: readonly Route[] = [
  defineRoute({
    method: 'POST',
    path: '/files/uploads',
    name: 'beginUpload',
    storeHeader: true,
    summary: 'Begin an upload straight to the storage',
    description:
      'The answer says where the file is sent, by a PUT with exactly these headers and so many bytes, which the address is signed for. Then `POST /files/uploads/{id}/complete` makes it a file. Its part of the quota is taken now, and given back when it is not completed within three hours.',
    access,
    transaction: 'manual',
    limit: STORAGE,
    body: NewUpload,
    response: { 201: DirectUpload },
    errors: [notFound, conflict, payloadTooLarge, unsupportedMediaType],
    location: ({ id }) => `/api/v1/files/${id}`,
    handler: (ctx, { body }) => beginDirect(ctx, body),
  }),
  defineRoute({
    method: 'POST',
    path: '/files/uploads/:id/complete',
    name: 'completeUpload',
    summary: 'Make a file of what was uploaded',
    description:
      'Size and content are compared with what was announced; what differs is thrown away. Whoever began the upload completes it. Once more, it answers with the same file.',
    access,
    transaction: 'manual',
    limit: STORAGE,
    params: Type.Object({ id: Described(Uuid, 'The id of the upload') }),
    response: { 201: File },
    errors: [conflict, unsupportedMediaType, storageFull],
    location: ({ id }) => `/api/v1/files/${id}`,
    handler: (ctx, { params }) => completeDirect(ctx, params.id),
  }),
  defineRoute({
    method: 'PUT',
    path: '/file-uploads/:token',
    name: 'sendUpload',
    summary: 'Send a file to where its upload said',
    description: 'The address of an upload where the storage cannot be reached by clients; it needs no credential.',
    access: 'public',
    rateLimit: 'media',
    transaction: 'manual',
    params: Type.Object({ token: Type.String({ maxLength: 200, description: 'What the address is signed with' }) }),
    stream: true,
    response: { 204: null },
    errors: [notFound, requestTimeout, conflict, payloadTooLarge, unsupportedMediaType, storageFull],
    handler: (ctx, { params, stream }) => receiveDirect(ctx, params.token, stream),
  }),
]
