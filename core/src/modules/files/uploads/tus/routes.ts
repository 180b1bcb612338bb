import {
  Answer,
  type Ctx,
  conflict,
  defineRoute,
  notFound,
  payloadTooLarge,
  type Route,
  requestTimeout,
  storageFull,
  unsupportedMediaType,
} from '#kernel'
import { STORAGE } from '../reservation.ts'
import { offsetConflict, uploadBusy, versionUnknown } from './errors.ts'
import type { TusRequest } from './protocol.ts'
import { AnyHeaders, BeginHeaders, SendHeaders, TusParams } from './schema.ts'

const rows = { rows: 'files.store_id' } as const // a shape of a store's scope
const TYPE = 'application/offset+octet-stream'

const spoken = {
  transaction: 'manual',
  standing: { 'tus-resumable': '1.0.0' },
  exposes: [
    'tus-version',
    'tus-extension',
    'tus-max-size',
    'upload-offset',
    'upload-length',
    'upload-metadata',
    'upload-expires',
  ],
} as const // words, as a route wants them

/** The library is loaded by whoever uploads so. */
async function speak(ctx: Ctx, status: number, request: TusRequest): Promise<Answer<undefined>> {
  const { speakTus } = await import('./protocol.ts')
  return new Answer(status, undefined, await speakTus(ctx, request))
}

/** Resumable uploads, as https://tus.io has them. */
export const tusRoutes: readonly Route[] = [
  defineRoute({
    ...spoken,
    method: 'OPTIONS',
    path: '/files/tus',
    name: 'describeResumableUploads',
    summary: 'Say what is spoken of tus',
    description: 'Versions, extensions, and how large a file may be, in headers.',
    access: 'public',
    response: { 204: null },
    handler: (ctx) => speak(ctx, 204, { method: 'OPTIONS' }),
  }),
  defineRoute({
    ...spoken,
    method: 'POST',
    path: '/files/tus',
    name: 'beginResumableUpload',
    summary: 'Begin a resumable upload',
    description:
      'Protocol tus 1.0, for files that take long. Its whole size is taken from the quota now. `Location` says where the bytes go; the first of them may come with this request, which takes no `Idempotency-Key`. A day after the last bytes it ends at `Upload-Expires`.',
    access: { permission: 'file.create', store: rows },
    storeHeader: true,
    limit: STORAGE,
    headers: BeginHeaders,
    stream: [TYPE],
    response: { 201: null },
    errors: [versionUnknown, notFound, requestTimeout, conflict, payloadTooLarge, unsupportedMediaType, storageFull],
    handler: (ctx, { headers, stream }) => speak(ctx, 201, { method: 'POST', headers, stream }),
  }),
  defineRoute({
    ...spoken,
    method: 'GET',
    path: '/files/tus/:id',
    name: 'getResumableUpload',
    summary: 'Say how far a resumable upload is',
    description:
      'As clients ask by HEAD: `Upload-Offset` is how many bytes are safe. When that is all of `Upload-Length`, the file is there. Only who began it is told.',
    access: { permission: 'file.create', store: rows },
    params: TusParams,
    headers: AnyHeaders,
    response: { 200: null },
    errors: [versionUnknown],
    handler: (ctx, { params, headers }) => speak(ctx, 200, { method: 'HEAD', id: params.id, headers }),
  }),
  defineRoute({
    ...spoken,
    method: 'PATCH',
    path: '/files/tus/:id',
    name: 'sendToResumableUpload',
    summary: 'Send bytes to a resumable upload',
    description:
      'From `Upload-Offset` on. With the last byte it becomes a file of the same id, to which `Location` leads, before this is answered. What arrived before the connection broke is kept.',
    access: { permission: 'file.create', store: rows },
    params: TusParams,
    headers: SendHeaders,
    stream: [TYPE],
    response: { 204: null },
    errors: [
      versionUnknown,
      requestTimeout,
      offsetConflict,
      uploadBusy,
      payloadTooLarge,
      unsupportedMediaType,
      storageFull,
    ],
    handler: (ctx, { params, headers, stream }) => speak(ctx, 204, { method: 'PATCH', id: params.id, headers, stream }),
  }),
  defineRoute({
    ...spoken,
    method: 'DELETE',
    path: '/files/tus/:id',
    name: 'giveUpResumableUpload',
    summary: 'Give up a resumable upload',
    description: 'Its part of the quota is free at once.',
    access: { permission: 'file.create', store: rows },
    params: TusParams,
    headers: AnyHeaders,
    response: { 204: null },
    errors: [versionUnknown],
    handler: (ctx, { params, headers }) => speak(ctx, 204, { method: 'DELETE', id: params.id, headers }),
  }),
]
