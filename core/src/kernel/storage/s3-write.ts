import { Readable } from 'node:stream'
import { newId } from '../ids.ts'
import type { S3Connection } from './s3-client.ts'
import { storageError } from './s3-errors.ts'
import { StorageDamaged, type Written } from './storage.ts'
import { gathered, isSame, measure, measuring } from './verified.ts'

/** A part in memory; with 10,000 of them a file may have 80 GB. */
const PART_BYTES = 8 * 1024 * 1024
/** Parts on their way at the same time. */
const PARTS_AT_ONCE = 3

interface Writing {
  bucket: string
  key: string
  content: AsyncIterable<Uint8Array>
  contentType?: string
}

/** Sends an object in parts, then reads it again. Until the last part has come, the key has its earlier content. */
export async function writeObject(connection: S3Connection, writing: Writing): Promise<Written> {
  const { bucket, key, content, contentType } = writing
  const { client, Upload } = connection
  const sent = measuring(content)
  const write = newId()
  const params = {
    Bucket: bucket,
    Key: key,
    Body: Readable.from(gathered(sent.content), { objectMode: false }),
    ContentType: contentType,
    // Tells what this call has written from what another one has.
    Metadata: { write },
  }
  try {
    // When it fails, it takes back the parts that were sent.
    await new Upload({ client, params, partSize: PART_BYTES, queueSize: PARTS_AT_ONCE }).done()
  } catch (error) {
    throw sent.failure ? sent.failure.error : storageError(error)
  }
  const written = sent.written()
  try {
    await proveUndamaged(connection, { bucket, key, write, written })
  } catch (error) {
    await removeOwn(connection, { bucket, key, write })
    throw storageError(error)
  }
  return written
}

interface Own {
  bucket: string
  key: string
  write: string
}

async function proveUndamaged({ client, sdk }: S3Connection, own: Own & { written: Written }): Promise<void> {
  const { bucket, key, write, written } = own
  const { Body, Metadata } = await client.send(new sdk.GetObjectCommand({ Bucket: bucket, Key: key }))
  const found = await measure(Body as Readable) // on Node it is one
  if (isSame(found, written) || isOfAnother(Metadata, write)) return
  throw new StorageDamaged(key)
}

/** Whether another call has replaced the object since; one without a mark may be our own. */
function isOfAnother(metadata: Record<string, string> | undefined, write: string): boolean {
  return metadata?.write !== undefined && metadata.write !== write
}

/** What cannot be removed either is left: nobody has been told that it is there. */
async function removeOwn({ client, sdk }: S3Connection, { bucket, key, write }: Own): Promise<void> {
  const place = { Bucket: bucket, Key: key }
  try {
    const { Metadata } = await client.send(new sdk.HeadObjectCommand(place))
    if (!isOfAnother(Metadata, write)) await client.send(new sdk.DeleteObjectCommand(place))
  } catch {
    // The first error says what is wrong.
  }
}
