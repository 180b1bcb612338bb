import assert from 'node:assert/strict'
import { readFileSync, realpathSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { startEmbedded } from '../src/kernel/db/embedded.ts'
import { listProcesses } from '../src/kernel/db/embedded-process.ts'
import { cleanUp, makeFolder, person, type RunningCli, send, startCli, until } from './run-cli.ts'

// One folder serves all tests, one after the other.
let cwd: string
const ada = person('ada@example.com')

before(async () => {
  cwd = await makeFolder()
})
after(() => cleanUp())

test('a killed PostgreSQL is started again, and requests are answered as before', async () => {
  const { running, base } = await start()
  assert.equal((await send(`${base}/api/v1/auth/register`, ada)).status, 201)
  for (let round = 1; round <= 2; round++) {
    const killed = killPostmaster()
    await running.says(new RegExp(`(PostgreSQL runs again\n[\\s\\S]*){${round}}`))
    assert.notEqual(postmaster(), killed)
    const look = async () => ((await send(`${base}/health/ready`)).status === 200 ? true : undefined)
    await until('readiness', running.said, look)
    const { email, password } = ada
    assert.equal((await send(`${base}/api/v1/auth/login`, { email, password })).status, 200)
  }
  assert.match(running.said(), /PostgreSQL has ended unexpectedly; see .*postgres\.log\n/)
  const { code, err } = await running.stop()
  assert.deepEqual([code, err], [0, ''])
  await assertNothingRuns()
})

for (const signal of ['SIGTERM', 'SIGHUP'] as const) {
  test(`${signal} just after PostgreSQL was killed ends everything`, async () => {
    for (const moment of ['', 'PostgreSQL has ended unexpectedly', 'PostgreSQL runs again']) {
      const { running } = await start()
      killPostmaster()
      await running.says(moment)
      const { code, out, err } = await running.stop(signal)
      assert.equal(code, 0, out + err)
      await assertNothingRuns()
    }
  })
}

test('a PostgreSQL that does not start again ends the process with a clear line', async () => {
  const { running } = await start()
  const file = join(cwd, '.data/postgres/postgresql.conf')
  const good = await readFile(file, 'utf8')
  await writeFile(file, `${good}\nno such thing here\n`)
  killPostmaster()
  const { code, err } = await running.ended
  await writeFile(file, good)
  assert.equal(code, 1)
  assert.match(err, /^tenantry start: PostgreSQL has ended and cannot be started again; see .*postgres\.log\n$/)
  await assertNothingRuns()
})

test('one that is killed again and again is given up', async () => {
  const lost = Promise.withResolvers<Error>()
  const options = { dataDir: join(cwd, '.data'), durable: false, restartPausesMs: [0, 0] }
  const embedded = await startEmbedded({ ...options, onLost: lost.resolve })
  try {
    let killed: number | undefined
    for (let round = 0; round < 3; round++) {
      const look = () => (postmasterIfReady() === killed ? undefined : postmasterIfReady())
      killed = await until('a server', () => `round ${round}`, look)
      process.kill(killed, 'SIGKILL')
    }
    assert.match((await lost.promise).message, /cannot be started again/)
  } finally {
    await embedded.stop()
  }
  await assertNothingRuns()
})

async function start(): Promise<{ running: RunningCli; base: string }> {
  const running = startCli('start', { cwd, env: { PORT: '0' } })
  const [, base = ''] = await running.says(/API +(http:\/\/localhost:\d+)\/api\/v1\n/)
  await running.says(/Worker.*\n\n|Bootstrap token.*\n\n/)
  return { running, base }
}

function killPostmaster(): number {
  const pid = postmaster()
  process.kill(pid, 'SIGKILL')
  return pid
}

function postmaster(): number {
  return Number.parseInt(readPidFile(), 10)
}

/** The server that accepts connections; undefined while there is none. */
function postmasterIfReady(): number | undefined {
  const lines = readPidFile().split('\n')
  return lines[7]?.trim() === 'ready' ? Number(lines[0]) : undefined
}

function readPidFile(): string {
  try {
    return readFileSync(join(cwd, '.data/postgres/postmaster.pid'), 'utf8')
  } catch {
    return '' // none at this moment
  }
}

/** The children of a server that was killed notice it by themselves, each when it gets its turn. */
async function assertNothingRuns(): Promise<void> {
  const folder = realpathSync(join(cwd, '.data/postgres'))
  let left: { command: string }[] = []
  await until(
    'the end of every process',
    () => JSON.stringify(left),
    async () => {
      left = (await listProcesses()).filter(({ command }) => command.includes(`-D ${folder} `))
      return left.length === 0 || undefined
    },
  )
}
