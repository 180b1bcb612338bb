import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { findProcessMark, listProcesses } from '../src/kernel/db/embedded-process.ts'
import { chooseFreePort } from '../src/kernel/db/embedded-secrets.ts'
import { createTestCore, type TestCore } from '../src/testing/index.ts'
import { startBalancer } from './balancer.fixture.ts'
import { cleanUp, makeFolder, person, type RunningCli, startCli, until } from './run-cli.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const PROGRAM = fileURLToPath(new URL('../bin/tenantry.js', import.meta.url))
let world: TestCore
let cwd: string
let token: string

before(async () => {
  world = await createTestCore()
  cwd = await makeFolder()
  const { body } = await world.request('POST', '/api/v1/auth/register', { body: person('ada@example.com') })
  token = body.access_token
})
after(async () => {
  await cleanUp()
  await world.close()
})

function settings(port: number, delay: string): Record<string, string> {
  return {
    DATABASE_URL: world.database.appUrl,
    DATABASE_SYSTEM_URL: world.database.systemUrl,
    APP_SECRET: `${world.core.config.appSecret}`,
    PORT: `${port}`,
    PUBLIC_URL: world.core.config.http.publicUrl,
    RATE_LIMIT_FACTOR: '0',
    SHUTDOWN_DELAY: delay,
  }
}

async function serve(port: number, delay = '0s'): Promise<RunningCli> {
  const running = startCli('serve', { cwd, env: settings(port, delay) })
  await running.says('Tenantry is ready')
  return running
}

describe('behind a balancer', () => {
  test('servers are replaced under load without one failed request', async () => {
    const ports = [await chooseFreePort(), await chooseFreePort()]
    const servers = await Promise.all(ports.map((port) => serve(port, '4s')))
    const balancer = await startBalancer(ports)
    const seen = new Map<string, number>()
    let isLoading = true
    const load = async () => {
      while (isLoading) {
        const headers = { authorization: `Bearer ${token}` }
        const outcome = await fetch(`${balancer.url}/api/v1/users/me`, { headers }).then(
          async (answer) => `${answer.status} ${answer.ok ? (await answer.text()).slice(0, 1) : await answer.text()}`,
          String,
        )
        seen.set(outcome, (seen.get(outcome) ?? 0) + 1)
      }
    }
    try {
      const isUsed = (port: number) => () => balancer.uses(port) || undefined
      for (const port of ports) await until('both to be used', () => '', isUsed(port))
      const loads = Array.from({ length: 8 }, load)
      for (const [index, port] of ports.entries()) {
        const { code, out, err } = (await servers[index]?.stop()) ?? {}
        assert.equal(code, 0, `${out}${err}`)
        servers[index] = await serve(port, '4s')
        await until('the new one to be used', () => '', isUsed(port))
      }
      isLoading = false
      await Promise.all(loads)
      assert.deepEqual([...seen.keys()], ['200 {'], JSON.stringify([...seen]))
    } finally {
      isLoading = false
      balancer.close()
      await Promise.all(servers.map((server) => server.stop('SIGKILL')))
    }
  })

  test('readiness fails first, and answers end their connections', async () => {
    const port = await chooseFreePort()
    const running = await serve(port, '10m')
    const ask = (path: string) => fetch(`http://127.0.0.1:${port}${path}`)
    assert.equal((await ask('/health/ready')).headers.get('connection'), 'keep-alive')
    running.signal('SIGTERM')
    await running.says('SIGTERM: finishing what runs')
    const ready = await ask('/health/ready')
    assert.deepEqual([ready.status, ready.headers.get('connection')], [503, 'close'])
    assert.match(await ready.text(), /"checks":\[\{"name":"stopping","status":"failed"\}\]/)
    for (const path of ['/health', '/api/v1/users/me', '/no-such-page'])
      assert.equal((await ask(path)).headers.get('connection'), 'close', path)
    await sleep(600) // a second signal, and no copy of the first
    assert.equal((await running.stop()).code, 1)
  })
})

describe('connections', () => {
  test('those without a whole request hold nobody up', async () => {
    const port = await chooseFreePort()
    const running = await serve(port)
    const silent = await open(port, '')
    const idle = await open(port, 'GET /health HTTP/1.1\r\nhost: x\r\n\r\n')
    await once(idle.socket, 'data')
    const half =
      'POST /api/v1/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 50\r\n'
    const halfHead = await open(port, half)
    const halfBody = await open(port, `${half}\r\n{"email"`)
    const finished = await open(port, 'GET /health HTTP/1.1\r\nhost: x\r\n')
    await waitUntilRead(port)
    const { code, out, err } = await stopWith(running, async () => {
      // What may still become a request is given time for that.
      await Promise.all([silent.closed, idle.closed])
      assert.deepEqual([halfHead, halfBody, finished].map(({ socket }) => socket.closed).join(), 'false,false,false')
      finished.socket.write('\r\n')
      await finished.closed
      assert.match(finished.said(), /^HTTP\/1\.1 200 OK\r\n[\s\S]*connection: close\r\n/i)
    })
    await Promise.all([halfHead.closed, halfBody.closed])
    assert.deepEqual([code, err], [0, ''], out)
  })
})

describe('signals', () => {
  test('SIGHUP stops like SIGTERM', async () => {
    const running = await serve(await chooseFreePort())
    const { code, out, err } = await running.stop('SIGHUP')
    assert.deepEqual([code, err], [0, ''])
    assert.match(out, /SIGHUP: finishing what runs/)
  })

  test('npm start hands SIGTERM on, and ends when the server has', async () => {
    const folder = await makeFolder()
    const env = { PATH: process.env.PATH, HOME: folder, DATA_DIR: `${folder}/.data`, PORT: '0' }
    const npm = spawn('npm', ['start'], { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    for (const stream of [npm.stdout, npm.stderr]) stream.on('data', (text) => (said += text))
    const ended = once(npm, 'close')
    await until(
      'the server',
      () => said,
      () => said.includes('Tenantry is ready') || undefined,
    )
    npm.kill('SIGTERM')
    await until(
      'the stop',
      () => said,
      () => said.includes('SIGTERM: finishing what runs') || undefined,
    )
    const [code] = await ended
    assert.equal(code, 0, said)
    const left = (await listProcesses()).filter(({ command }) => command.includes(folder))
    assert.deepEqual(left, [])
  })

  test('where a shell of npm keeps the signal to itself, the server notices that it is alone', async () => {
    const env = { PATH: process.env.PATH, npm_lifecycle_event: 'start', ...settings(await chooseFreePort(), '0s') }
    const shell = spawn('sh', ['-c', `"${process.execPath}" "${PROGRAM}" serve & echo pid $!; wait`], { cwd, env })
    let said = ''
    shell.stdout.on('data', (text) => (said += text))
    shell.stderr.on('data', (text) => (said += text))
    const closed = once(shell, 'close')
    await until(
      'the server',
      () => said,
      () => /Tenantry is ready/.test(said) || undefined,
    )
    const pid = Number(/pid (\d+)/.exec(said)?.[1])
    shell.kill('SIGKILL')
    const isGone = async () => ((await findProcessMark(pid)) === undefined ? true : undefined)
    await until('the end', () => said, isGone).catch((error: unknown) => {
      process.kill(pid, 'SIGKILL')
      throw error
    })
    await closed // when nobody writes into its output any more
    assert.match(said, /npm has ended: finishing what runs/)
  })
})

interface Opened {
  socket: Socket
  said(): string
  closed: Promise<unknown>
}

async function open(port: number, text: string): Promise<Opened> {
  const socket = connect(port, '127.0.0.1')
  let said = ''
  socket.on('error', () => {}) // a reset is a way to be closed
  socket.on('data', (chunk) => (said += chunk))
  await once(socket, 'connect')
  if (text) socket.write(text)
  return { socket, said: () => said, closed: once(socket, 'close') }
}

/** What was sent before on other connections has been read once a later request is answered, and a moment more. */
async function waitUntilRead(port: number): Promise<void> {
  for (let round = 0; round < 5; round++) await (await fetch(`http://127.0.0.1:${port}/health`)).text()
}

async function stopWith(running: RunningCli, meanwhile: () => Promise<void>) {
  running.signal('SIGTERM')
  await meanwhile()
  return running.ended
}
