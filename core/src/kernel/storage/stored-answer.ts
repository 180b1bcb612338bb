import type { Readable } from 'node:stream'
import Type from 'typebox'
import { rangeNotSatisfiable } from '../errors.ts'
import { Answer } from '../http/answer.ts'
import { readRange } from '../http/ranges.ts'
import type { StreamBody } from '../http/schemas.ts'
import type { ByteRange } from './storage.ts'

/**
 * What a client says, in headers, about the part that it wants of something stored. Of any length that headers may have: what asks for
 * something else is not refused but gets the whole.
 */
export const WantedPart = Type.Object({
  range: Type.Optional(
    Type.String({
      description: 'The part that is wanted: `bytes=0-1023`, one of them. Whatever else it says, the whole is sent',
    }),
  ),
  'if-range': Type.Optional(Type.String({ description: 'The `ETag` of the file whose other parts are there' })),
})
export type WantedPart = Type.Static<typeof WantedPart>

/** Something stored, which never changes. */
export interface StoredThing {
  size: number
  checksum_sha256: string
}

/** The part that is sent; no range: the whole. */
export interface SentPart {
  range: ByteRange | undefined
  bytes: number
}

/**
 * The answer with something stored, or with the part of it that is wanted; its checksum is its `ETag`. `open` is asked for the bytes once
 * the answer is to begin. Throws 416.
 */
export function answerStored(
  { size, checksum_sha256 }: StoredThing,
  { range: wanted, 'if-range': ifRange }: WantedPart,
  headers: Readonly<Record<string, string>>,
  open: (part: SentPart) => Promise<Readable>,
): Answer<StreamBody> {
  const etag = `"${checksum_sha256}"`
  // Parts of two things would be joined.
  const part = ifRange === undefined || ifRange === etag ? readRange(wanted, size) : 'whole'
  if (part === 'unsatisfiable') throw rangeNotSatisfiable({ headers: { 'content-range': `bytes */${size}` } })
  const range = part === 'whole' ? undefined : part
  const bytes = range ? range.end - range.start + 1 : size
  return new Answer<StreamBody>(range ? 206 : 200, () => open({ range, bytes }), {
    ...headers,
    'accept-ranges': 'bytes',
    etag,
    'content-length': String(bytes),
    ...(range && { 'content-range': `bytes ${range.start}-${range.end}/${size}` }),
  })
}

/** What was opened, once `record` has recorded who takes it; closed when that fails. */
export async function onceRecorded(stream: Readable, record: () => Promise<void>): Promise<Readable> {
  // What fails meanwhile is told to whoever reads on: until then it would be nobody's error.
  stream.on('error', () => {})
  try {
    await record()
    return stream
  } catch (error) {
    stream.destroy()
    throw error
  }
}
