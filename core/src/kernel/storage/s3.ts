import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import type { S3Config } from '../config/config.ts'
import { newId } from '../ids.ts'
import { connectS3, type S3Connection } from './s3-client.ts'
import { isBeyondEnd, isNoSuchKey, isNotFound, storageError } from './s3-errors.ts'
import { writeObject } from './s3-write.ts'
import {
  type ByteRange,
  checkFileKey,
  checkRange,
  type FileStorage,
  isFileKey,
  StorageFailed,
  type StoredFile,
} from './storage.ts'

/** One request takes no more: what AWS and most others say of a `PUT`, 5 GiB. */
const LARGEST_PUT = 5 * 1024 ** 3

/** One that holds connections. */
export interface S3Storage extends FileStorage {
  close(): Promise<void>
}

/** Stores files as objects of a bucket, under their keys. Connects when it is first asked for something. */
export function createS3Storage(config: S3Config): S3Storage {
  const { bucket } = config
  let opening: Promise<S3Connection> | undefined
  const connect = () => {
    opening ??= connectS3(config)
    return opening
  }
  /** Every error leaves as one of our own. */
  const ask = async <T>(work: (connection: S3Connection) => Promise<T>, key?: string): Promise<T> => {
    if (key !== undefined) checkFileKey(key)
    const connection = await connect()
    return work(connection).catch((error: unknown) => Promise.reject(storageError(error, key)))
  }
  const size = (key: string) => ask((connection) => sizeOf(connection, bucket, key), key)
  const remove = (key: string) =>
    ask(async ({ client, sdk }) => {
      await client.send(new sdk.DeleteObjectCommand({ Bucket: bucket, Key: key })).catch(ignoreNoSuchKey)
    }, key)
  return {
    backend: 's3',
    largestDirect: LARGEST_PUT,
    async write(key, content, options) {
      checkFileKey(key)
      return writeObject(await connect(), { bucket, key, content, ...options })
    },
    read(key, range, { isForClient = false } = {}) {
      checkFileKey(key)
      if (range) checkRange(range)
      const stopping = new AbortController()
      const content = readObject(connect, { bucket, key, range, isForClient, signal: stopping.signal })
      // One that is given up before the first byte came is not waited for.
      return Readable.from(content, { objectMode: false }).once('close', () => stopping.abort())
    },
    size,
    has: async (key) => (await size(key)) !== null,
    delete: remove,
    list(folder) {
      if (folder !== '') checkFileKey(folder)
      return listObjects(ask, bucket, folder)
    },
    presignUpload: (key, { bytes, contentType, expiresInSeconds }) =>
      ask(async ({ presign, sdk }) => {
        const upload = { Bucket: bucket, Key: key, ContentLength: bytes, ContentType: contentType }
        const url = await presign(new sdk.PutObjectCommand(upload), {
          expiresIn: expiresInSeconds,
          // Left out by default.
          signableHeaders: new Set(['host', 'content-length', 'content-type']),
        })
        assertSigned(url)
        return { method: 'PUT', url, headers: { 'content-type': contentType, 'content-length': `${bytes}` } }
      }, key),
    check: () => ask((connection) => checkBucket(connection, config)),
    async close() {
      const connection = await opening?.catch(() => undefined)
      connection?.close()
    },
  }
}

/** A signature that does not cover both would let anything be uploaded. */
function assertSigned(url: string): void {
  const signed = new URL(url).searchParams.get('X-Amz-SignedHeaders')?.split(';') ?? []
  if (!signed.includes('content-length') || !signed.includes('content-type'))
    throw new StorageFailed('The signature of an upload does not cover its length and type.', 'unsigned')
}

/** "Not found" may mean the bucket, of which every file would seem to be gone. */
async function sizeOf({ client, sdk }: S3Connection, bucket: string, key: string): Promise<number | null> {
  try {
    const { ContentLength } = await client.send(new sdk.HeadObjectCommand({ Bucket: bucket, Key: key }))
    return ContentLength ?? 0
  } catch (error) {
    if (isNoSuchKey(error)) return null
    if (!isNotFound(error)) throw error
  }
  await assertBucket({ client, sdk }, bucket)
  return null
}

async function assertBucket({ client, sdk }: Pick<S3Connection, 'client' | 'sdk'>, bucket: string): Promise<void> {
  await client.send(new sdk.HeadBucketCommand({ Bucket: bucket })).catch((error: unknown) => {
    throw isNotFound(error) ? Object.assign(new Error(), { name: 'NoSuchBucket' }) : error
  })
}

function ignoreNoSuchKey(error: unknown): void {
  if (!isNoSuchKey(error)) throw error
}

interface Reading {
  bucket: string
  key: string
  range: ByteRange | undefined
  isForClient: boolean
  signal: AbortSignal
}

async function* readObject(connect: () => Promise<S3Connection>, reading: Reading): AsyncGenerator<Buffer> {
  const { bucket, key, range, isForClient, signal } = reading
  const { client, forClients, sdk } = await connect()
  try {
    const Range = range && `bytes=${range.start}-${range.end}`
    const command = new sdk.GetObjectCommand({ Bucket: bucket, Key: key, Range })
    const { Body, ContentRange } = await (isForClient ? forClients : client).send(command, { abortSignal: signal })
    if (range) assertRange(range, ContentRange)
    yield* Body as Readable // on Node it is one
  } catch (error) {
    if (range && isBeyondEnd(error)) return
    throw storageError(error, key)
  }
}

/** A storage that heeds no ranges would send the whole file in place of the part. */
function assertRange({ start, end }: ByteRange, answered: string | undefined): void {
  const [, first, last, size] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(answered ?? '') ?? []
  if (Number(first) !== start || Number(last) !== Math.min(end, Number(size) - 1))
    throw new StorageFailed('The bucket answered with another range of a file than was asked for.', 'range')
}

type Ask = <T>(work: (connection: S3Connection) => Promise<T>) => Promise<T>

async function* listObjects(ask: Ask, bucket: string, folder: string): AsyncGenerator<StoredFile> {
  const Prefix = folder === '' ? undefined : `${folder}/`
  let last = ''
  let token: string | undefined
  do {
    const page = await ask(({ client, sdk }) =>
      client.send(new sdk.ListObjectsV2Command({ Bucket: bucket, Prefix, ContinuationToken: token })),
    )
    for (const { Key = '', Size = 0 } of page.Contents ?? []) {
      if (!isFileKey(Key)) continue
      // Whoever merges lists would take files for missing that come later.
      if (Key <= last)
        throw new StorageFailed('The bucket does not list its files in the order of their keys.', 'order')
      last = Key
      yield { key: Key, bytes: Size }
    }
    token = page.NextContinuationToken
    if (page.IsTruncated && !token) throw new StorageFailed('The bucket ended a list of files too early.', 'list')
  } while (token)
}

/** Writes, reads, lists and removes an object that no key leads to. */
async function checkBucket({ client, sdk }: S3Connection, { bucket, endpoint }: S3Config): Promise<string> {
  const place = { Bucket: bucket, Key: `.check/${newId()}` }
  const content = randomBytes(1024)
  const remove = () => client.send(new sdk.DeleteObjectCommand(place))
  await client.send(new sdk.PutObjectCommand({ ...place, Body: content }))
  try {
    const { Body } = await client.send(new sdk.GetObjectCommand(place))
    const found = Buffer.from((await Body?.transformToByteArray()) ?? [])
    if (!found.equals(content))
      throw new StorageFailed('The bucket gave back something else than was put into it.', 'damaged')
    await client.send(new sdk.ListObjectsV2Command({ Bucket: bucket, Prefix: '.check/', MaxKeys: 1 }))
  } catch (error) {
    // What is wrong already is what is told.
    await remove().catch(() => undefined)
    throw error
  }
  await remove()
  return `Files can be written to the bucket ${bucket} of ${endpoint === null ? 'AWS' : new URL(endpoint).host} and read again.`
}
