import { type Locker, Server } from '@tus/server'
import { type BodyStream, type Ctx, type ErrorKind, invalidRequest, notFound, payloadTooLarge } from '#kernel'
import { fileConfiguration } from '../../configuration.ts'
import { requireSize } from '../../rules.ts'
import { offsetConflict, versionUnknown } from './errors.ts'
import { UploadStore } from './store.ts'

/** A request of the protocol. */
export interface TusRequest {
  method: 'OPTIONS' | 'POST' | 'HEAD' | 'PATCH' | 'DELETE'
  /** Of the upload; a new one has none yet. */
  id?: string
  headers?: Readonly<Record<string, string | number | undefined>>
  stream?: BodyStream
}

export const VERSION = '1.0.0'
const PATH = '/api/v1/files/tus'
/** What answers say; about origins the kernel speaks. */
const ANSWERED = ['tus-version', 'tus-extension', 'tus-max-size', 'upload-offset', 'upload-length', 'upload-metadata']

/** The lease of a writer stands in its row, where other processes see it, too. */
const NO_LOCKS: Locker = { newLock: () => ({ lock: async () => {}, unlock: async () => {} }) }

/**
 * Has a request answered by the protocol; resolves to the headers of the answer. The library sees headers alone: it would
 * hand the body through four streams and keep the client's end of it open.
 */
export async function speakTus(ctx: Ctx, request: TusRequest): Promise<Record<string, string>> {
  const { method, id, headers = {}, stream } = request
  if (method !== 'OPTIONS' && headers['tus-resumable'] !== VERSION)
    throw versionUnknown({ headers: { 'tus-version': VERSION } })
  const metadata = String(headers['upload-metadata'] ?? '')
  const store = new UploadStore(ctx, { metadata, content: stream?.content ?? nothing() })
  const sent = new Request(`http://localhost${PATH}`, { method, headers: sentHeaders(headers, stream) })
  const response = await answer(serverOf(ctx, store, id), sent).catch(async (error: unknown) => {
    await store.forget()
    throw error
  })
  return {
    ...Object.fromEntries([...response.headers].filter(([name]) => ANSWERED.includes(name))),
    ...(store.expiresAt === null ? {} : { 'upload-expires': new Date(store.expiresAt).toUTCString() }),
    ...locationOf(method, response.headers, store.fileId),
  }
}

async function answer(server: Server, request: Request): Promise<Response> {
  const response = await server.handleWeb(request)
  if (!response.ok) throw refusalOf(response.status, await response.text())
  return response
}

async function* nothing(): AsyncGenerator<Buffer> {}

function serverOf(ctx: Ctx, datastore: UploadStore, id: string | undefined): Server {
  const { FILE_UPLOAD_MAX_SIZE: maxSize } = ctx.config.of(fileConfiguration)
  return new Server({
    path: PATH,
    datastore,
    locker: NO_LOCKS,
    maxSize,
    relativeLocation: true,
    // The database names it.
    namingFunction: () => 'new',
    getFileIdFromRequest: () => id,
    onResponseError: (_request, error) => {
      // Said as it is of other uploads.
      if ('body' in error && error.status_code === 413)
        requireSize(maxSize, Number.POSITIVE_INFINITY, 'headers/upload-length')
      throw 'body' in error ? refusalOf(error.status_code, error.body) : error
    },
  })
}

function sentHeaders(headers: NonNullable<TusRequest['headers']>, stream: BodyStream | undefined): Headers {
  const body = { 'content-type': stream?.contentType, 'content-length': stream?.length }
  const given = Object.entries({ ...headers, ...body }).filter(([, value]) => value !== undefined && value !== null)
  return new Headers(given.map(([name, value]): [string, string] => [name, String(value)]))
}

const KINDS: Readonly<Record<number, ErrorKind>> = {
  403: invalidRequest,
  404: notFound,
  409: offsetConflict,
  413: payloadTooLarge,
}

/** The library's own refusals in the form of all others. */
function refusalOf(status: number, text: string): Error {
  const detail = text.trim()
  if (status >= 500) return new Error(`The protocol failed: ${detail}`)
  const header = /^Invalid ([\w-]+)$/.exec(detail)?.[1]
  if (header !== undefined)
    return invalidRequest({ errors: [{ pointer: `headers/${header}`, detail: 'is not as tus 1.0 has it' }] })
  return (KINDS[status] ?? invalidRequest)({ detail })
}

function locationOf(method: TusRequest['method'], headers: Headers, fileId: string | null): Record<string, string> {
  const begun = headers.get('location')
  if (method === 'POST' && begun) return { location: begun }
  return fileId === null ? {} : { location: `/api/v1/files/${fileId}` }
}
