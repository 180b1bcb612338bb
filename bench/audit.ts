// Compares the audit log of a long history with that of a short one, and measures exports.
// node bench/audit.ts [--requests 300] [--large 2000000] [--server postgres://superuser@host/db [--keep]] [--only text]
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startEmbedded } from '../core/src/kernel/db/embedded.ts'
import { cases, day } from './audit-cases.ts'
import { type Exported, measureCancelling, measureExport } from './audit-export.ts'
import { dropDatabase } from './audit-history.ts'
import { launchServer, openSide, type Side } from './audit-servers.ts'

const { values: options } = parseArgs({
  options: {
    requests: { type: 'string', default: '300' },
    small: { type: 'string', default: '10000' },
    large: { type: 'string', default: '2000000' },
    /** Another server than the embedded one. */
    server: { type: 'string' },
    /** Leaves its databases there, to be taken up by the next run. */
    keep: { type: 'boolean', default: false },
    only: { type: 'string' },
  },
})
const TARGET = 1.3
const PAGE = 1_000
// Shorter than the server's patience with an idle connection.
const agent = new Agent({ keepAlive: true, timeout: 2_000 })

const dataDir = await mkdtemp(join(tmpdir(), 'tenantry-bench-'))
// As in harness.ts.
await chmod(dataDir, 0o711)
const embedded = options.server ? undefined : await startEmbedded({ dataDir })
const serverUrl = options.server ?? embedded!.superuserUrl // one of them is there
const sides: Side[] = []
try {
  for (const count of [Number(options.small), Number(options.large)])
    sides.push(await openSide({ serverUrl, count, dataDir }))
  const [small, large] = sides as [Side, Side] // pushed just above
  const filters = await compareFilters(small, large)
  const pages = await comparePages(large)
  const exports = await exportAll(large)
  if (!options.only) await save({ filters, pages, exports })
} finally {
  agent.destroy()
  for (const { child, history } of sides) {
    child.kill('SIGTERM')
    if (!options.keep) await dropDatabase(serverUrl, history.name)
  }
  await embedded?.stop()
  await rm(dataDir, { recursive: true, force: true })
}

interface Result {
  name: string
  /** Median latency of one request, of the two that are compared. */
  ms: [number, number]
  ratio: number
  found: [number, number]
}

async function compareFilters(small: Side, large: Side): Promise<Result[]> {
  const results: Result[] = []
  for (const [name, filters] of Object.entries(cases)) {
    if (options.only && !name.includes(options.only)) continue
    const path = `/api/v1/audit?${new URLSearchParams(filters)}`
    results.push(await compare(name, [small, path], [large, path]))
  }
  return results
}

/** The first page and a late one, of the long history. */
async function comparePages(side: Side): Promise<Result[]> {
  const results: Result[] = []
  for (const name of ['none', 'person', 'text_one_person']) {
    if (options.only && !`page_${name}`.includes(options.only)) continue
    const path = `/api/v1/audit?${new URLSearchParams(cases[name])}`
    let cursor: string | null = null
    for (let page = 1; page < PAGE; page++)
      cursor = (await ask(side, cursor === null ? path : `${path}&cursor=${cursor}`)).cursor
    results.push(await compare(`page_${PAGE}_${name}`, [side, path], [side, `${path}&cursor=${cursor}`]))
  }
  return results
}

/** Asks the two in turn, so that whatever else the machine does meets both. */
async function compare(name: string, one: [Side, string], other: [Side, string]): Promise<Result> {
  const found: Result['found'] = [(await ask(...one)).found, (await ask(...other)).found]
  for (let i = 0; i < 30; i++) for (const each of [one, other]) await ask(...each)
  const times: [number[], number[]] = [[], []]
  for (let i = 0; i < Number(options.requests); i++) {
    times[0].push((await ask(...one)).ms)
    times[1].push((await ask(...other)).ms)
  }
  const ms: Result['ms'] = [median(times[0]), median(times[1])]
  const result = { name, ms, ratio: ms[1] / ms[0], found }
  print(result)
  return result
}

async function ask({ base, token }: Side, path: string): Promise<{ ms: number; found: number; cursor: string | null }> {
  const start = performance.now()
  const text = await get(base + path, token)
  const ms = performance.now() - start
  const { data, next_cursor } = JSON.parse(text) as { data: unknown[]; next_cursor: string | null } // a page
  return { ms, found: data.length, cursor: next_cursor }
}

function get(url: string, token: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request(url, { agent, headers: { authorization: `Bearer ${token}` } }, (answer) => {
      let text = ''
      answer.setEncoding('utf8')
      answer.on('data', (piece) => {
        text += piece
      })
      answer.on('end', () => (answer.statusCode === 200 ? resolve(text) : reject(new Error(`${url}: ${text}`))))
      answer.on('error', reject)
    })
      .on('error', reject)
      .end()
  })
}

/** Half of the long history in each format, from a server that has done nothing before. */
async function exportAll({ history, token }: Side): Promise<(Exported & { busy_ms: number })[]> {
  const results: (Exported & { busy_ms: number })[] = []
  for (const format of ['csv', 'json', 'ndjson']) {
    if (options.only && !`export_${format}`.includes(options.only)) continue
    const server = await launchServer(history, dataDir)
    const exporter = { ...server, token }
    try {
      const exported = await measureExport(exporter, format, day(166))
      const { lines, seconds, mb_per_second, rss_mb } = exported
      const { busy_ms } = await measureCancelling(exporter, day(166))
      results.push({ ...exported, busy_ms })
      process.stdout.write(
        `export ${format}: ${lines} lines in ${seconds.toFixed(1)} s, ${mb_per_second.toFixed(1)} MB/s; RSS ${rss_mb.start.toFixed(0)} MB at first, ${rss_mb.early.toFixed(0)} MB after 150 MB, ${rss_mb.most.toFixed(0)} MB at most; busy ${busy_ms} ms in the second after the client went\n`,
      )
    } finally {
      server.child.kill('SIGTERM')
    }
  }
  return results
}

function median(numbers: number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

function print({ name, ms, ratio, found }: Result): void {
  const [small, large] = ms.map((each) => each.toFixed(2).padStart(9))
  const verdict = ratio <= TARGET ? '' : '  over the target'
  process.stdout.write(
    `${name.padEnd(26)} ${small} ms ${large} ms  ${ratio.toFixed(2)}  (${found.join(' / ')})${verdict}\n`,
  )
}

async function save(results: object): Promise<void> {
  const about = { at: new Date().toISOString(), node: process.version, requests: Number(options.requests) }
  const sizes = { small: Number(options.small), large: Number(options.large) }
  const text = JSON.stringify({ ...about, ...sizes, ...results }, null, 2)
  await writeFile(new URL('audit-results.json', import.meta.url), `${text}\n`)
}
