import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
// @ts-expect-error it brings no types
import S3rver from '@20minutes/s3rver'
import type { S3Config } from '../config/config.ts'
import { newId } from '../ids.ts'

/** What the peer keeps objects with, as far as it is set right here. */
interface Store {
  getObject(bucket: string, key: string, options?: { start?: number; end?: number | object }): Promise<unknown>
  putObject(object: object): Promise<unknown>
  putContent(path: string, content: object): Promise<unknown>
  listObjects(bucket: string, options: { prefix: string }): Promise<{ objects: { key: string; size: number }[] }>
}

/** Answers in place of the peer when it returns true. */
export type Interceptor = (request: IncomingMessage, response: ServerResponse) => boolean

export interface S3Server {
  readonly config: S3Config
  /** What was asked, `PUT /files/notes/one`, in order. */
  readonly asked: string[]
  /** Puts an object of one byte there for each key. */
  seed(keys: readonly string[]): Promise<void>
  /** Changes one byte of an object where it lies. */
  damage(key: string): void
  /** How many uploads in parts are neither complete nor taken back. */
  openUploads(): Promise<number>
  /** Looks at each request first; null: no more. */
  intercept(by: Interceptor | null): void
  close(): Promise<void>
}

/** The settings by which a core finds the bucket of such a server. */
export const envOf = ({ config }: S3Server): Record<string, string> => ({
  S3_BUCKET: config.bucket,
  S3_ENDPOINT: config.endpoint ?? '',
  S3_ACCESS_KEY_ID: config.accessKeyId ?? '',
  S3_SECRET_ACCESS_KEY: config.secretAccessKey ?? '',
})

/** A server on loopback that speaks S3 and keeps what it is given in a temporary folder. */
export async function startS3Server(): Promise<S3Server> {
  const directory = await mkdtemp(join(tmpdir(), 's3-'))
  const bucket = 'files'
  const options = { directory, silent: true, vhostBuckets: false, configureBuckets: [{ name: bucket }] }
  const peer = new S3rver(options)
  await peer.configureBuckets()
  setRight(peer.store)
  const ofObjects: RequestListener = peer.callback()
  // It gets the signatures of requests to `/files/` wrong, with this slash at the end.
  const lenient = new S3rver({ ...options, allowMismatchedSignatures: true })
  lenient.context.store = peer.store
  const ofBuckets: RequestListener = lenient.callback()
  const uploads = join(directory, bucket, '._S3rver_uploads')
  const objectPath = (key: string) => join(directory, bucket, `${key}._S3rver_object`)
  const asked: string[] = []
  let interceptor: Interceptor | null = null
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost')
    asked.push(`${request.method} ${url.pathname}`)
    if (interceptor?.(request, response)) return
    const upload = url.searchParams.get('uploadId')
    if (request.method !== 'DELETE' || upload === null) {
      const isOfBucket = /^\/[^/]*\/?$/.test(url.pathname)
      if (!isOfBucket) return ofObjects(request, response)
      if (url.pathname !== `/${bucket}/` || !url.searchParams.has('list-type')) return ofBuckets(request, response)
      return void listPage(peer.store, bucket, url.searchParams).then((page) => response.end(page))
    }
    // It cannot take uploads back.
    void rm(join(uploads, upload), { recursive: true, force: true }).then(() => response.writeHead(204).end())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    asked,
    config: {
      bucket,
      endpoint: `http://127.0.0.1:${port}`,
      region: 'us-east-1',
      accessKeyId: 'S3RVER',
      secretAccessKey: 'S3RVER',
      checksums: 'when_required',
    },
    async seed(keys) {
      for (const key of keys) {
        const path = objectPath(key)
        await mkdir(dirname(path), { recursive: true })
        await writeFile(path, 'x')
      }
    },
    damage(key) {
      const path = objectPath(key)
      const content = readFileSync(path)
      content.writeUInt8(content.readUInt8(0) ^ 1, 0)
      writeFileSync(path, content)
    },
    openUploads: async () => (await readdir(uploads).catch(() => [])).length,
    intercept(by) {
      interceptor = by
    },
    async close() {
      server.close()
      server.closeAllConnections()
      await rm(directory, { recursive: true, force: true, maxRetries: 10 })
    },
  }
}

/** Makes the peer do as S3 does: objects change whole and one after the other, a range may end at 0. */
function setRight(store: Store): void {
  const { getObject, putContent, putObject } = store
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work, work)
    last = turn.catch(() => undefined)
    return turn
  }
  store.getObject = (bucket, key, options) =>
    inTurn(() => getObject.call(store, bucket, key, options?.end === 0 ? { ...options, end: Object(0) } : options))
  store.putObject = (object) => inTurn(() => putObject.call(store, object))
  store.putContent = async (path, content) => {
    const temporary = `${path}.${newId()}`
    const result = await putContent.call(store, temporary, content)
    await rename(temporary, path)
    return result
  }
}

const PAGE = 1000

/** It lists folder by folder, and its tokens need a cipher that is no longer there. */
async function listPage(store: Store, bucket: string, query: URLSearchParams): Promise<string> {
  const after = Buffer.from(query.get('continuation-token') ?? '', 'base64url').toString()
  const { objects } = await store.listObjects(bucket, { prefix: query.get('prefix') ?? '' })
  const rest = objects.filter(({ key }) => key > after).sort((one, other) => (one.key < other.key ? -1 : 1))
  const page = rest.slice(0, Math.min(Number(query.get('max-keys') ?? PAGE), PAGE))
  const isTruncated = rest.length > page.length
  const token = Buffer.from(page.at(-1)?.key ?? '').toString('base64url')
  const next = isTruncated ? `<NextContinuationToken>${token}</NextContinuationToken>` : ''
  const contents = page.map(({ key, size }) => `<Contents><Key>${key}</Key><Size>${size}</Size></Contents>`)
  const result = `<IsTruncated>${isTruncated}</IsTruncated>${next}${contents.join('')}`
  return `<?xml version="1.0"?><ListBucketResult>${result}</ListBucketResult>`
}
