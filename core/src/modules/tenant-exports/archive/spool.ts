import { randomUUID } from 'node:crypto'
import { type FileHandle, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const PIECE_BYTES = 64 * 1024

/** Bytes that are put aside and read again from their beginning, in any amount: they are on the disk of the machine. */
export interface Spool {
  append(bytes: Uint8Array): Promise<void>
  /** Once nothing more is appended. */
  read(): AsyncGenerator<Buffer>
  close(): Promise<void>
}

/** The file has no name any more once it is open: whatever ends the process, nothing of it stays. */
export async function openSpool(): Promise<Spool> {
  const path = join(tmpdir(), `tenantry-spool-${randomUUID()}`)
  const file = await open(path, 'wx+', 0o600)
  await rm(path)
  let waiting: Uint8Array[] = []
  let waitingBytes = 0
  let written = 0

  async function flush(): Promise<void> {
    const piece = Buffer.concat(waiting)
    waiting = []
    waitingBytes = 0
    await writeAll(file, piece, written)
    written += piece.byteLength
  }

  return {
    async append(bytes) {
      waiting.push(bytes)
      waitingBytes += bytes.byteLength
      if (waitingBytes >= PIECE_BYTES) await flush()
    },
    async *read() {
      await flush()
      for (let position = 0; position < written; ) {
        const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(PIECE_BYTES), 0, PIECE_BYTES, position)
        if (bytesRead === 0) throw new Error('A file that was put aside has become shorter')
        position += bytesRead
        yield buffer.subarray(0, bytesRead)
      }
    },
    close: () => file.close(),
  }
}

/** A disk that is nearly full takes a part, and says at the next call that it is full. */
async function writeAll(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.byteLength; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.byteLength - done, position + done)
    if (bytesWritten === 0) throw new Error('The disk takes nothing, and does not say why')
    done += bytesWritten
  }
}

/** The lines of what was put aside, each without its end. */
export async function* linesOf(spool: Spool): AsyncGenerator<string> {
  let rest = ''
  const decoder = new TextDecoder()
  for await (const piece of spool.read()) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
}
