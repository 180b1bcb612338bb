import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { errorCode } from '../system-errors.ts'
import type { ClamdAddress } from './clamd-address.ts'
import { ScannerError } from './scanner.ts'

/** How long clamd may take. */
export interface ClamdTimes {
  /** To take the connection. */
  connectMs: number
  /** To take the next part of a content, and for its source to bring it. */
  progressMs: number
  /** For all of it together, its answer included. */
  wholeMs: number
}

/** Longer than any answer: what sends more is no clamd. */
const MAX_ANSWER_BYTES = 4_096

/** One command to clamd, and the one answer to it. Whatever fails ends the connection, and every step that waits with it. */
export interface ClamdConnection {
  /** Writes bytes, and resolves when they have left this process. */
  write(...parts: Uint8Array[]): Promise<void>
  /** Waits for other work in the time of progress; rejects as soon as the connection has failed or was answered. */
  during<T>(work: Promise<T>): Promise<T>
  /** The answer, without the NUL at its end. To be asked for when all is written; the last step. */
  answer(): Promise<string>
  close(): void
}

export async function connectToClamd(address: ClamdAddress, times: ClamdTimes): Promise<ClamdConnection> {
  const socket = connect(address)
  const failed = Promise.withResolvers<never>()
  failed.promise.catch(() => {}) // whoever waits hears of it by a race
  const fail = (error: ScannerError) => {
    failed.reject(error)
    socket.destroy()
  }
  const whole = setTimeout(() => fail(new ScannerError('timed_out')), times.wholeMs)
  socket.once('close', () => clearTimeout(whole))
  const slow = setTimeout(() => fail(new ScannerError('timed_out', 'it takes no connection')), times.connectMs)
  try {
    await Promise.race([once(socket, 'connect'), failed.promise])
  } catch (error) {
    socket.destroy()
    throw error instanceof ScannerError ? error : unreachable(error)
  } finally {
    clearTimeout(slow)
  }
  return new Connection(socket, failed.promise, fail, times.progressMs)
}

function unreachable(error: unknown): ScannerError {
  return new ScannerError('unreachable', errorCode(error), { cause: error })
}

class Connection implements ClamdConnection {
  readonly #socket: Socket
  readonly #failed: Promise<never>
  readonly #fail: (error: ScannerError) => void
  readonly #progressMs: number
  readonly #answered = Promise.withResolvers<string>()
  readonly #parts: Buffer[] = []
  #isAllWritten = false

  constructor(socket: Socket, failed: Promise<never>, fail: (error: ScannerError) => void, progressMs: number) {
    this.#socket = socket
    this.#failed = failed
    this.#fail = fail
    this.#progressMs = progressMs
    socket.on('data', (part: Buffer) => this.#take(part))
    socket.on('error', (error) => fail(new ScannerError('broken', errorCode(error), { cause: error })))
    socket.on('close', () => fail(new ScannerError('broken')))
  }

  write(...parts: Uint8Array[]): Promise<void> {
    const written = Promise.withResolvers<void>()
    this.#socket.cork()
    for (const part of parts) this.#socket.write(part)
    // Called after all of them. An error is told by the event.
    this.#socket.write('', (error) => {
      if (!error) written.resolve()
    })
    this.#socket.uncork()
    return this.during(written.promise)
  }

  async during<T>(work: Promise<T>): Promise<T> {
    const slow = setTimeout(() => this.#fail(new ScannerError('timed_out', 'nothing goes on')), this.#progressMs)
    try {
      return await Promise.race([work, this.#failed])
    } finally {
      clearTimeout(slow)
    }
  }

  answer(): Promise<string> {
    this.#isAllWritten = true
    return Promise.race([this.#answered.promise, this.#failed])
  }

  close(): void {
    this.#socket.destroy()
  }

  #take(part: Buffer): void {
    this.#parts.push(part)
    const received = Buffer.concat(this.#parts)
    const end = received.indexOf(0)
    if (end < 0 && received.length <= MAX_ANSWER_BYTES) return
    const text = received.subarray(0, end).toString('latin1')
    if (end < 0 || end !== received.length - 1) this.#fail(new ScannerError('unexpected'))
    // An answer about a part is none about the whole.
    else if (!this.#isAllWritten) this.#fail(errorFrom(text))
    else this.#answered.resolve(text)
  }
}

/** What an answer that is no result says. Its words are shown only as far as they are those of clamd. */
export function errorFrom(answer: string): ScannerError {
  if (/size limit exceeded/i.test(answer)) return new ScannerError('too_large', 'raise StreamMaxLength in clamd.conf')
  return new ScannerError('unexpected', /^[\w :.,'()-]{1,200}$/.test(answer) ? answer : '')
}
