import type { IncomingHttpHeaders } from 'node:http'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import Type from 'typebox'
import { sha256 } from '../hash.ts'
import { isKnown } from './conditional.ts'

/** Compressions, the smallest result first. */
const ENCODINGS = ['br', 'gzip'] as const // the words are the type
type Encoding = (typeof ENCODINGS)[number]

// Higher levels cost many times more for a few percent.
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }
const PACKERS: Record<Encoding, (bytes: Buffer) => Promise<Buffer>> = {
  br: (bytes) => promisify(brotliCompress)(bytes, BROTLI),
  gzip: (bytes) => promisify(gzip)(bytes),
}

/**
 * A text that never changes while the process runs: served from memory, compressed as the client accepts, and not sent
 * again to a client that has it (`ETag`). For public GET routes with one content type (`produces`) and `response: {
 * 200: StaticBody, 304: null }`.
 */
export class StaticText {
  readonly etag: string
  readonly #bytes: Buffer
  readonly #packed = new Map<Encoding, Promise<Buffer>>()

  constructor(text: string) {
    this.#bytes = Buffer.from(text)
    // A weak ETag, because the compressed form is the same text.
    this.etag = `W/"${sha256(this.#bytes).toString('base64url').slice(0, 22)}"`
  }

  /** The bytes in an encoding; each is compressed once, at first use. */
  bytes(encoding: Encoding | null): Promise<Buffer> {
    if (encoding === null) return Promise.resolve(this.#bytes)
    const packed = this.#packed.get(encoding) ?? PACKERS[encoding](this.#bytes)
    this.#packed.set(encoding, packed)
    return packed
  }
}

/** The body of an answer that is a StaticText. */
export const StaticBody = Type.Unsafe<StaticText>({ type: 'string' })

/** Status, headers and bytes of the answer; null bytes for a client that has the text. */
export async function answerStatic(
  text: StaticText,
  asked: IncomingHttpHeaders,
): Promise<{ status: 200 | 304; headers: Record<string, string>; bytes: Buffer | null }> {
  const headers = { etag: text.etag, vary: 'accept-encoding' }
  if (isKnown(text.etag, asked['if-none-match'])) return { status: 304, headers, bytes: null }
  const encoding = chooseEncoding(asked['accept-encoding'])
  const bytes = await text.bytes(encoding)
  return { status: 200, headers: { ...headers, ...(encoding ? { 'content-encoding': encoding } : {}) }, bytes }
}

/** The best encoding that `Accept-Encoding` allows; null: none. */
function chooseEncoding(header: string | string[] | undefined): Encoding | null {
  const weights = new Map(
    String(header ?? '')
      .toLowerCase()
      .split(',')
      .map((part): [string, number] => {
        const [name = '', ...parameters] = part.split(';').map((each) => each.trim())
        const weight = parameters.find((each) => each.startsWith('q='))
        return [name, weight === undefined ? 1 : Number(weight.slice(2))]
      }),
  )
  const allows = (name: string) => (weights.get(name) ?? weights.get('*') ?? 0) > 0
  return ENCODINGS.find(allows) ?? null
}
