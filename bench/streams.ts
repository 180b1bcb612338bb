// What open streams cost a server: memory for each, while they say that they are alive, and while nobody reads them.
// node bench/streams.ts [--people 100] [--each 10]
import { readFileSync } from 'node:fs'
import { get, type IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { Server } from './child.ts'
import { json, startBench } from './harness.ts'

const { values: options } = parseArgs({
  options: { people: { type: 'string', default: '100' }, each: { type: 'string', default: '10' } },
})
const PASSWORD = 'a bench needs a long passphrase'
const settle = () => sleep(5_000)
const bench = await startBench()
try {
  const server = await bench.launchCore({ RATE_LIMIT_FACTOR: '0' })
  const tokens: string[] = []
  for (let i = 0; i < Number(options.people); i++) tokens.push(await register(server, i))
  await settle()
  const before = memoryOf(server)
  const open: IncomingMessage[] = []
  for (const token of tokens)
    open.push(...(await Promise.all(Array.from({ length: Number(options.each) }, () => listen(server, token)))))
  await settle()
  const after = memoryOf(server)
  for (const answer of open) answer.pause()
  await sleep(50_000)
  const unread = memoryOf(server)
  process.stdout.write(
    `${open.length} streams: ${before} MB before, ${after} MB open, ${unread} MB after 50 s unread\n`,
  )
  process.stdout.write(`${Math.round(((after - before) * 1024) / open.length)} kB for each\n`)
  for (const answer of open) answer.destroy()
} finally {
  await bench.stop()
}

/** Resident, in MB; on Linux. */
function memoryOf({ child }: Server): number {
  const [, kilobytes = '0'] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? []
  return Math.round(Number(kilobytes) / 1024)
}

async function register({ port }: Server, number: number): Promise<string> {
  const body = {
    email: `listener${number}@example.com`,
    password: PASSWORD,
    name: 'Listener',
    tenant_name: `Listeners ${number}`,
  }
  const url = `http://127.0.0.1:${port}/api/v1/auth/register`
  const answer = await fetch(url, { method: 'POST', headers: json, body: JSON.stringify(body) })
  if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`)
  return ((await answer.json()) as { access_token: string }).access_token
}

function listen({ port }: Server, token: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}` }
    const url = `http://127.0.0.1:${port}/api/v1/notifications/stream`
    const request = get(url, { headers, agent: false }, (answer) => {
      if (answer.statusCode !== 200) return reject(new Error(`answered ${answer.statusCode}`))
      answer.on('error', () => {}) // cut off at the end
      answer.resume()
      resolve(answer)
    })
    request.on('error', reject)
  })
}
