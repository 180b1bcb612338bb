import type { ChildProcess } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { get, type IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

const MB = 1024 * 1024
const EARLY_BYTES = 150 * MB
const NEWLINE = 10
/** How Linux counts the time of a process: ticks per second. */
const TICKS = 100

/** A server in a process of its own, and somebody who may export. */
export interface Exporter {
  base: string
  token: string
  child: ChildProcess
}

export interface Exported {
  format: string
  /** Lines of the file, which are one per record, and one or two more. */
  lines: number
  seconds: number
  mb_per_second: number
  /** Of the server's process: before, when 150 MB had been written, and the most it ever had. */
  rss_mb: { start: number; early: number; most: number }
}

/** Reads a whole export as fast as it comes. */
export async function measureExport({ base, token, child }: Exporter, format: string, from: string): Promise<Exported> {
  await warmUp(base, token)
  const start = await readStatus(child, 'VmRSS')
  const began = performance.now()
  let [bytes, lines, early] = [0, 0, 0]
  for await (const chunk of (await open(base, token, { format, from })) as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > EARLY_BYTES && early === 0) early = await readStatus(child, 'VmRSS')
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, at + 1)) lines++
  }
  const seconds = (performance.now() - began) / 1_000
  const most = await readStatus(child, 'VmHWM')
  return {
    format,
    lines,
    seconds,
    mb_per_second: bytes / MB / seconds,
    rss_mb: { start: start / 1024, early: early / 1024, most: most / 1024 },
  }
}

/** Goes away in the middle of an export; returns how long the server worked on in the second that begins 200 ms later. */
export async function measureCancelling({ base, token, child }: Exporter, from: string): Promise<{ busy_ms: number }> {
  const file = await open(base, token, { format: 'ndjson', from })
  file.once('readable', () => {})
  await sleep(1_000)
  file.destroy()
  await sleep(200)
  const before = await readTicks(child)
  await sleep(1_000)
  return { busy_ms: ((await readTicks(child)) - before) * (1_000 / TICKS) }
}

/** Schemas are compiled when they are first needed. */
async function warmUp(base: string, token: string): Promise<void> {
  for (let i = 0; i < 20; i++) {
    const file = await open(base, token, { format: 'json', action: 'nothing.happened' })
    for await (const _ of file);
  }
}

function open(base: string, token: string, query: Record<string, string>): Promise<IncomingMessage> {
  const url = `${base}/api/v1/audit/export?${new URLSearchParams(query)}`
  return new Promise((resolve, reject) => {
    get(url, { agent: false, headers: { authorization: `Bearer ${token}` } }, (answer) =>
      answer.statusCode === 200 ? resolve(answer) : reject(new Error(`${url} answered ${answer.statusCode}`)),
    ).on('error', reject)
  })
}

/** In kilobytes, as Linux says it. */
async function readStatus({ pid }: ChildProcess, field: 'VmRSS' | 'VmHWM'): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(new RegExp(`^${field}:\\s*(\\d+) kB$`, 'm').exec(status)?.[1])
}

async function readTicks({ pid }: ChildProcess): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const [user = 0, system = 0] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
    .map(Number)
  return user + system
}
