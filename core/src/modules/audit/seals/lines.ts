import { StringDecoder } from 'node:string_decoder'

/** More than a record of the greatest size takes. */
const MAX_CHARACTERS = 64 * 1024 * 1024

/** The lines of a streamed text without their ends. A line longer than any valid one is null and ends the stream. */
export async function* readLines(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string | null> {
  const decoder = new StringDecoder('utf8')
  let begun: string[] = []
  let length = 0
  for await (const chunk of bytes) {
    const parts = decoder.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)).split('\n')
    const rest = parts.pop() ?? ''
    for (const part of parts) {
      yield [...begun, part].join('')
      begun = []
      length = 0
    }
    begun.push(rest)
    length += rest.length
    if (length > MAX_CHARACTERS) return yield null
  }
  const last = [...begun, decoder.end()].join('')
  if (last !== '') yield last
}
