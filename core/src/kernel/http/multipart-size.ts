import type { IncomingMessage } from 'node:http'
import { lengthOf } from './body-stream.ts'

/**
 * How many bytes the content of a part has when it is the last one of its form, by the announced length of the body; null where
 * there is none. `begun`: what has arrived, from the first byte to the headers of the part and beyond; `parts`: how many
 * were before it.
 */
export function bytesOfLastPart(raw: IncomingMessage, begun: Buffer, parts: number): number | null {
  const length = lengthOf(raw)
  const boundary = boundaryOf(raw.headers['content-type'] ?? '')
  if (length === null || boundary === undefined) return null
  const begins = beginOf(begun, Buffer.from(`--${boundary}\r\n`), parts)
  return begins === null ? null : Math.max(0, length - begins - `\r\n--${boundary}--\r\n`.length)
}

function boundaryOf(contentType: string): string | undefined {
  const [, quoted, plain] = /boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType) ?? []
  return quoted ?? plain
}

/** Where the content of a part begins, before which there are so many others. */
function beginOf(body: Buffer, delimiter: Buffer, parts: number): number | null {
  let at = body.indexOf(delimiter)
  for (let part = 0; part < parts && at >= 0; part++) at = body.indexOf(delimiter, at + delimiter.length)
  const end = at < 0 ? -1 : body.indexOf('\r\n\r\n', at)
  return end < 0 ? null : end + 4
}
