// Files: bytes a second of an upload and a download against a bare stream to disk and back, alternating in the same run, with
// the memory that the server took at most; and the list of one thing's files among many against among few.
// node bench/files.ts [--mebibytes 256] [--rounds 5] [--small 10000] [--large 2000000] [--requests 300] [--only throughput|list]
import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { parseArgs } from 'node:util'
import pg from 'pg'
import type { Server } from './child.ts'
import { json, median, startBench } from './harness.ts'

const { values: options } = parseArgs({
  options: {
    mebibytes: { type: 'string', default: '256' },
    rounds: { type: 'string', default: '5' },
    small: { type: 'string', default: '10000' },
    large: { type: 'string', default: '2000000' },
    requests: { type: 'string', default: '300' },
    only: { type: 'string' },
  },
})
const MiB = 1024 * 1024
const bytes = Number(options.mebibytes) * MiB
const PASSWORD = 'a bench needs a long passphrase'
const agent = new Agent({ keepAlive: true })
const piece = Buffer.alloc(MiB, 'Buy milk. ')

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

const bench = await startBench()
try {
  const server = await bench.launchCore({ RATE_LIMIT_FACTOR: '0', FILE_UPLOAD_MAX_SIZE: '8GiB' })
  const token = await register(server, 'files@example.com')
  if (options.only !== 'list') await compareThroughput(server, token.access_token)
  if (options.only !== 'throughput') await compareLists(server)
} finally {
  agent.destroy()
  await bench.stop()
}

async function compareThroughput(server: Server, token: string): Promise<void> {
  await sql('update plans set limits = limits || \'{"storage_bytes": null}\'')
  const floor = await bench.launch('files-floor.ts', {})
  const took: Record<'up' | 'floorUp' | 'down' | 'floorDown', number[]> = {
    up: [],
    floorUp: [],
    down: [],
    floorDown: [],
  }
  for (let round = 0; round <= Number(options.rounds); round++) {
    const floorUp = await timed(() => send(floor, 'PUT', '/upload', {}, content(bytes)))
    const up = await timed(() => upload(server, token))
    const id = up.answer.id as string // of the file
    const floorDown = await timed(() => send(floor, 'GET', '/download'))
    const down = await timed(() => send(server, 'GET', `/api/v1/files/${id}/download`, bearer(token)))
    await send(server, 'DELETE', `/api/v1/files/${id}`, bearer(token))
    await send(server, 'DELETE', '/api/v1/files/trash', bearer(token))
    // The first round warms up.
    if (round === 0) continue
    for (const [name, { ms }] of Object.entries({ up, floorUp, down, floorDown }))
      took[name as keyof typeof took].push(ms) // as listed
  }
  const rate = (of: keyof typeof took) => bytes / MiB / (median(took[of]) / 1_000)
  process.stdout.write(
    `\nMiB a second with ${options.mebibytes} MiB, medians of ${options.rounds}; target 0.6\n\n| | bare | core | ratio |\n|---|---|---|---|\n`,
  )
  for (const [name, own, bare] of [
    ['upload', 'up', 'floorUp'],
    ['download', 'down', 'floorDown'],
  ] as const)
    process.stdout.write(
      `| ${name} | ${rate(bare).toFixed(0)} | ${rate(own).toFixed(0)} | ${(rate(own) / rate(bare)).toFixed(2)} |\n`,
    )
  process.stdout.write(`\nmost memory of the server: ${peakOf(server)}, of the bare one: ${peakOf(floor)}\n`)
}

/** The largest resident size so far, where the system says it. */
function peakOf({ child }: Server): string {
  try {
    const [, kB = ''] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? []
    return `${Math.round(Number(kB) / 1024)} MiB`
  } catch {
    return 'unknown here'
  }
}

function* content(length: number): Generator<Buffer> {
  for (let sent = 0; sent < length; sent += piece.length) yield piece.subarray(0, Math.min(piece.length, length - sent))
}

async function upload(server: Server, token: string) {
  const head = Buffer.from(
    '--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\n',
  )
  const tail = Buffer.from('\r\n--b--\r\n')
  const body = function* () {
    yield head
    yield* content(bytes)
    yield tail
  }
  const length = head.length + bytes + tail.length
  const headers = {
    ...bearer(token),
    'content-type': 'multipart/form-data; boundary=b',
    'content-length': String(length),
  }
  return send(server, 'POST', '/api/v1/files', headers, body())
}

/** Sends a request and reads its answer; throws unless it was a success. */
function send(
  { port }: Server,
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: Iterable<Buffer>,
): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const typed =
      body && !headers['content-type'] ? { 'content-type': 'text/plain', 'content-length': String(bytes) } : {}
    const sent = request({ port, host: '127.0.0.1', method, path, agent, headers: { ...typed, ...headers } })
    sent.on('error', reject).on('response', async (answer) => {
      let start = Buffer.alloc(0)
      let received = 0
      for await (const chunk of answer) {
        received += chunk.length
        if (start.length < 4_096) start = Buffer.concat([start, chunk])
      }
      if (!body && method === 'GET' && path.endsWith('load') && received !== bytes)
        return reject(new Error(`${path}: ${received} bytes came, not ${bytes}`))
      if ((answer.statusCode ?? 500) >= 300)
        return reject(new Error(`${method} ${path}: ${answer.statusCode} ${start.subarray(0, 500)}`))
      resolve(answer.headers['content-type']?.includes('json') ? JSON.parse(start.toString()) : {})
    })
    void pour(sent, body ?? [])
  })
}

async function pour(sent: ReturnType<typeof request>, body: Iterable<Buffer>): Promise<void> {
  for (const chunk of body) if (!sent.write(chunk)) await new Promise((resolve) => sent.once('drain', resolve))
  sent.end()
}

async function timed<T>(work: () => Promise<T>): Promise<{ ms: number; answer: T }> {
  const begun = performance.now()
  const answer = await work()
  return { ms: performance.now() - begun, answer }
}

async function register({ port }: Server, email: string): Promise<{ access_token: string; tenant: { id: string } }> {
  const body = JSON.stringify({ email, password: PASSWORD, name: 'Filer', tenant_name: email })
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1/auth/register`, { method: 'POST', headers: json, body })
  if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`)
  return answer.json() as Promise<{ access_token: string; tenant: { id: string } }> // as the API says
}

async function sql(text: string, values: unknown[] = []): Promise<void> {
  const owner = new pg.Client({ connectionString: bench.database.ownerUrl })
  await owner.connect()
  try {
    await owner.query('set search_path = core, public')
    await owner.query(text, values)
  } finally {
    await owner.end()
  }
}

/** A tenant with so many files, a hundred of which belong to its store. */
async function fill(server: Server, count: number) {
  const { access_token: token, tenant } = await register(server, `filer${count}@example.com`)
  const stores = await send(server, 'GET', '/api/v1/stores', bearer(token))
  const [{ id: store }] = stores.data as [{ id: string }] // as the API says
  for (let made = 0; made < count; made += 50_000)
    await sql(
      `insert into files select $1, gen_random_uuid(), null, 'file ' || n || '.txt', 'file', 'text/plain', 1, repeat('0', 64), 'local', 'files/' || n,
         'store', case when n % ($4::int / 100) = 0 then $2::uuid else gen_random_uuid() end, $2, false, 'none', null, null, now(), now()
       from generate_series($3::int, $3::int + least(50000, $4::int - $3::int) - 1) n`,
      [tenant.id, store, made, count],
    )
  await sql('analyze files')
  return { token, store, count }
}

async function compareLists(server: Server): Promise<void> {
  const [small, large] = [await fill(server, Number(options.small)), await fill(server, Number(options.large))]
  const paths: [name: string, path: (store: string) => string][] = [
    ['files of a store', (store) => `/api/v1/files?entity_type=store&entity_id=${store}`],
    ['all files', () => '/api/v1/files'],
  ]
  process.stdout.write(
    `\nms per request, medians of ${options.requests}; target 1.3\n\n| list | ${small.count} | ${large.count} | ratio |\n|---|---|---|---|\n`,
  )
  for (const [name, path] of paths) {
    const took: [number[], number[]] = [[], []]
    for (let turn = 0; turn < Number(options.requests) + 20; turn++)
      for (const [at, { token, store }] of [small, large].entries()) {
        const { ms } = await timed(() => send(server, 'GET', path(store), bearer(token)))
        if (turn >= 20) took[at]?.push(ms)
      }
    const [short, long] = took.map(median) as [number, number] // two lists, two medians
    process.stdout.write(`| ${name} | ${short.toFixed(2)} | ${long.toFixed(2)} | ${(long / short).toFixed(2)} |\n`)
  }
}
