import { SECONDS } from '../kernel/clock.ts'

const REDRAW_MS = 200
const LINE_MS = 10 * SECONDS
const BAR_WIDTH = 24

/** How far a long command is: a bar on a terminal, a line every ten seconds elsewhere. */
export interface Progress {
  /** Bytes on their way. */
  passed(bytes: number): void
  /** A thing of so many bytes is done with. */
  settled(bytes: number): void
  /** A line above the bar. */
  note(text: string): void
  end(): void
}

/** What there is to do. */
export interface Extent {
  things: number
  bytes: number
}

/** `all.things` null: how many there are shows at the end; undefined: nothing is counted but bytes. */
export function showProgress(
  all: Pick<Extent, 'bytes'> & { things: number | null | undefined },
  stream: NodeJS.WriteStream = process.stdout,
): Progress {
  const done: Extent = { things: 0, bytes: 0 }
  const startedAt = performance.now()
  // Of what is still on its way: it may turn out to be read twice, or not to be moved.
  let underWay = 0
  const line = () => {
    const bytes = Math.min(all.bytes, done.bytes + underWay)
    return describe({ done: { ...done, bytes }, all, seconds: (performance.now() - startedAt) / SECONDS })
  }
  const clear = () => void (stream.isTTY && stream.write('\r\u001b[K'))
  const draw = () => {
    if (stream.isTTY) stream.write(`\r\u001b[K${bar(done.bytes + underWay, all.bytes)} ${line()}`)
    else stream.write(`${line()}\n`)
  }
  const timer = setInterval(draw, stream.isTTY ? REDRAW_MS : LINE_MS).unref()
  return {
    passed(bytes) {
      underWay += bytes
    },
    settled(bytes) {
      done.things++
      done.bytes += bytes
      underWay = Math.max(0, underWay - bytes)
    },
    note(text) {
      clear()
      stream.write(`${text}\n`)
    },
    end() {
      clearInterval(timer)
      clear()
    },
  }
}

function bar(done: number, all: number): string {
  const filled = all === 0 ? BAR_WIDTH : Math.min(BAR_WIDTH, Math.floor((done / all) * BAR_WIDTH))
  return `[${'#'.repeat(filled)}${'.'.repeat(BAR_WIDTH - filled)}]`
}

interface Passage {
  done: Extent
  all: Parameters<typeof showProgress>[0]
  seconds: number
}

function describe({ done, all, seconds }: Passage): string {
  const rate = seconds > 0 ? done.bytes / seconds : 0
  const left = rate > 0 ? `, ${duration((all.bytes - done.bytes) / rate)} left` : ''
  const things =
    all.things === null ? `${done.things}, ` : all.things === undefined ? '' : `${done.things} of ${all.things}, `
  return `${things}${size(done.bytes)} of ${size(all.bytes)}, ${size(rate)}/s${left}`
}

const UNITS = ['KiB', 'MiB', 'GiB', 'TiB']

/** Bytes for people: `1.5 GiB`. */
export function size(bytes: number): string {
  let [value, unit] = [bytes, 'B']
  for (const next of UNITS) {
    if (value < 1024) break
    ;[value, unit] = [value / 1024, next]
  }
  return `${unit === 'B' ? Math.round(value) : value.toFixed(1)} ${unit}`
}

function duration(seconds: number): string {
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)]
  if (hours > 0) return `${hours} h ${minutes} min`
  return minutes > 0 ? `${minutes} min` : `${Math.ceil(seconds)} s`
}
