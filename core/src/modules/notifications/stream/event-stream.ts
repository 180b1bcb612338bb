import { Readable } from 'node:stream'

/** Nothing more is read for a stream that has so much left to send. */
const ROOM_BYTES = 16 * 1024
/** Looks in a row at which a stream had something to send and its reader took none of it. */
const MOST_STALLS = 2

/** Why a stream ends, as it says itself. */
export interface StreamEnd {
  code: string
  detail: string
}

/**
 * The body of one stream of server-sent events. It holds what one look at the database gave and no more: whoever reads
 * slowly is told later, and whoever reads nothing is cut off.
 */
export class EventStream extends Readable {
  /** Called when there is room again after there was none. */
  onRoom: (() => void) | undefined
  #pushed = 0
  #taken = 0
  #stalls = 0
  #isEnding = false

  constructor() {
    super({ highWaterMark: ROOM_BYTES })
  }

  override _read(): void {
    if (this.hasRoom) this.onRoom?.()
  }

  get hasRoom(): boolean {
    return this.readableLength < ROOM_BYTES
  }

  /** How long a client waits before it comes back: not all at the same time. */
  open(): void {
    this.#write(`retry: ${2_000 + Math.round(Math.random() * 4_000)}\n\n`)
  }

  event(name: string, data: unknown, id?: string): void {
    this.#write(`${id === undefined ? '' : `id: ${id}\n`}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`)
  }

  /** Says that it is alive, where nothing else does; a reader that takes nothing is cut off. */
  beat(): void {
    const taken = this.#pushed - this.readableLength
    this.#stalls = this.readableLength > 0 && taken === this.#taken ? this.#stalls + 1 : 0
    this.#taken = taken
    if (this.#stalls >= MOST_STALLS) this.destroy()
    else if (this.readableLength === 0) this.#write(':\n\n')
  }

  /** Says why, and ends. */
  end(why: StreamEnd | null): void {
    if (this.#isEnding) return
    if (why) this.event('end', why)
    this.#isEnding = true
    this.push(null)
  }

  #write(text: string): void {
    if (this.#isEnding || this.destroyed) return
    this.#pushed += Buffer.byteLength(text)
    this.push(text)
  }
}
