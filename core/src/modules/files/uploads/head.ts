/** The first bytes of what arrives, and all of it. */
export interface Begun {
  head: Buffer
  content: AsyncIterable<Buffer>
}

/** Waits for the first `bytes`, or for the end of a shorter one. */
export async function readHead(given: AsyncIterable<Buffer>, bytes: number): Promise<Begun> {
  const rest = given[Symbol.asyncIterator]()
  const chunks: Buffer[] = []
  let length = 0
  while (length < bytes) {
    const { done, value } = await rest.next()
    if (done) break
    chunks.push(value)
    length += value.length
  }
  return { head: Buffer.concat(chunks).subarray(0, bytes), content: follow(chunks, rest) }
}

async function* follow(chunks: Iterable<Buffer>, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield* chunks
  yield* { [Symbol.asyncIterator]: () => rest }
}
