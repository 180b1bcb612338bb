import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { findProcessMark } from '../src/kernel/db/embedded-process.ts'
import { cleanUp, makeFolder, person, type RunningCli, runCli, send, startCli, until } from './run-cli.ts'

// One folder serves all tests, one after the other, as it would serve a person.
let cwd: string
let running: RunningCli
let api: string
const ada = person('ada@example.com')
const credentials = { email: ada.email, password: ada.password }

before(async () => {
  cwd = await makeFolder()
})
after(async () => {
  // A failed test may have left PostgreSQL running, which an ordinary start and stop puts right.
  if (existsSync(join(cwd, '.data/postgres/postmaster.pid'))) {
    const mended = startCli('start', { cwd, env: { PORT: '0' } })
    await mended.says('ready').catch(() => undefined)
    await mended.stop()
  }
  await cleanUp()
})

test('the first start makes everything, and one screen says what runs and where', async () => {
  running = startCli('start', { cwd, env: { PORT: '0', LOG_LEVEL: 'trace' } })
  const [, port] = await running.says(/API +http:\/\/localhost:(\d+)\/api\/v1\n/)
  assert.notEqual(port, '0')
  const base = `http://localhost:${port}`
  await running.says(/Bootstrap token.*\n\n/)
  const screen = running.said().slice(running.said().indexOf('  Tenantry is ready'))
  assert.match(screen, new RegExp(`Docs +${base}/api/docs\n`))
  assert.match(screen, new RegExp(`Mailbox +${base}/dev/mailbox\n`))
  assert.match(screen, /Database +embedded PostgreSQL on 127\.0\.0\.1:\d+, data in .*\.data\n/)
  assert.match(screen, /Worker +10 jobs at a time\n/)
  assert.deepEqual((await send(`${base}/health/ready`)).body.status, 'ok')
  for (const path of ['/api/docs', '/dev/mailbox']) assert.equal((await fetch(base + path)).status, 200, path)

  const [, token] = (await running.says(/Bootstrap token +(\S+) /)) as string[]
  const root = { bootstrap_token: token, email: 'root@example.com', password: ada.password, name: 'Rosa Root' }
  assert.equal((await send(`${base}/api/v1/auth/bootstrap`, root)).status, 201)
  api = `${base}/api/v1`
})

test('the port that was chosen for PORT=0 stands in the links of mails', async () => {
  assert.equal((await send(`${api}/auth/register`, ada)).status, 201)
  const mailbox = api.replace('/api/v1', '/dev/mailbox')
  const look = async () => /\/dev\/mailbox\/[\w-]+(?=">)/.exec(await text(`${mailbox}?to=ada@`))?.[0]
  const path = await until('a mail', running.said, look)
  assert.match(await text(new URL(path, mailbox).href), new RegExp(`${new URL(api).origin}/[^"]*token=`))
})

test('a second start on the same folder is refused, and names the process that runs', async () => {
  const { code, err } = await runCli('start', { cwd, env: { PORT: '0' } })
  assert.equal(code, 1)
  assert.match(err, new RegExp(`^tenantry start: .* already in use by process ${running.pid}\\. .*\n$`))
})

test('the doctor and a migration use the embedded PostgreSQL that runs', async () => {
  const [doctor, migrate] = await Promise.all([runCli('doctor', { cwd }), runCli('migrate', { cwd })])
  assert.equal(doctor.code, 0, doctor.out + doctor.err)
  assert.match(doctor.out, /All is well\./)
  assert.deepEqual(migrate, { code: 0, out: 'The schema is up to date.\n', err: '' })
  assert.equal((await send(`${api}/auth/login`, credentials)).status, 200)
})

test('no secret was shown, whatever the log level', async () => {
  assertNoSecrets(running.said())
})

test('after kill -9 the next start works, and the data is kept', async () => {
  await running.stop('SIGKILL')
  const port = new URL(api).port
  running = startCli('start', { cwd, env: { PORT: port } })
  await running.says(/Worker.*\n\n/)
  assert.doesNotMatch(running.said(), /Bootstrap/)
  const { status, body } = await send(`${api}/auth/login`, credentials)
  assert.deepEqual([status, body.user?.email], [200, ada.email])
})

test('SIGTERM lets a request under way finish, and leaves nothing running', async () => {
  const blocked = await blockSignIn()
  running.signal('SIGTERM')
  await running.says('SIGTERM: finishing what runs')
  await assert.rejects(fetch(api), 'nothing new is accepted')
  await blocked.release()
  assert.equal((await blocked.answer)?.status, 200)
  const { code, err } = await running.ended
  assert.deepEqual({ code, err }, { code: 0, err: '' })
  assertNothingRuns()
  assertNoSecrets(running.said())
})

test('a second signal ends the process at once, and the database with it', async () => {
  running = startCli('start', { cwd, env: { PORT: new URL(api).port } })
  await running.says('ready')
  const postmaster = Number.parseInt(readFileSync(join(cwd, '.data/postgres/postmaster.pid'), 'utf8'), 10)
  const blocked = await blockSignIn()
  running.signal('SIGTERM')
  await running.says('SIGTERM: finishing what runs')
  // One that comes at once is npm's copy of the first, which a terminal has sent to both.
  await sleep(600)
  // Who waits for the request ends well, and lets it be answered.
  assert.equal((await running.stop()).code, 1)
  assert.equal(await blocked.answer, undefined)
  await blocked.release()
  const look = async () => ((await findProcessMark(postmaster)) === undefined ? true : undefined)
  await until('PostgreSQL to end', running.said, look)
})

test('a taken port is said in one line, and nothing is left running', async () => {
  const occupant = createServer().listen(0, '127.0.0.1')
  await once(occupant, 'listening')
  const address = occupant.address()
  assert.ok(address && typeof address === 'object')
  const { code, out, err } = await runCli('start', { cwd, env: { PORT: `${address.port}` } })
  occupant.close()
  assert.equal(code, 1)
  assert.match(
    err,
    new RegExp(`^tenantry start: Port ${address.port} on 127\\.0\\.0\\.1 is taken by another program.*\n$`),
  )
  assert.doesNotMatch(out, /ready/)
  assertNothingRuns()
})

test('a signal while it starts is obeyed once it has started', async () => {
  // Where this process is slow the signal comes after the start; so it is tried again.
  for (let attempt = 1; ; attempt++) {
    const early = startCli('start', { cwd, env: { PORT: '0' } })
    await until('PostgreSQL', early.said, () => existsSync(join(cwd, '.data/postgres/postmaster.pid')) || undefined)
    const { code, out } = await early.stop('SIGINT')
    assert.equal(code, 0, out)
    assertNothingRuns()
    if (!out.includes('ready')) return
    assert.ok(attempt < 5, out)
  }
})

test('a secret that is gone beside its database is missed, and nothing is made or started', async () => {
  const file = join(cwd, '.data/app_secret')
  const secret = readFileSync(file)
  rmSync(file)
  for (const command of ['start', 'doctor', 'migrate']) {
    const { code, out, err } = await runCli(command, { cwd, env: { PORT: '0' } })
    assert.equal(code, 1, command)
    assert.match(`${out}${err}`, /app_secret is gone, although there is a database .*restore the file/)
    assert.ok(!existsSync(file))
    assertNothingRuns()
  }
  writeFileSync(file, secret, { mode: 0o600 })
})

/** Sends a sign-in that cannot be answered before `release`. */
async function blockSignIn() {
  const { port, passwords } = readSecrets()
  const blocker = new pg.Client(`postgres://postgres:${passwords.superuser}@127.0.0.1:${port}/tenantry`)
  blocker.on('error', () => undefined)
  await blocker.connect()
  try {
    await blocker.query("set lock_timeout = '60s'; begin; lock table core.users in access exclusive mode")
    const answer = send(`${api}/auth/login`, credentials).catch(() => undefined)
    const waiting = "select from pg_stat_activity where wait_event_type = 'Lock' and usename = 'tenantry_app'"
    await until('the sign-in to wait', running.said, async () => {
      // Within a transaction it goes on to say what it said first.
      await blocker.query('select pg_stat_clear_snapshot()')
      return (await blocker.query(waiting)).rowCount || undefined
    })
    return { answer, release: () => blocker.end() }
  } catch (error) {
    await blocker.end()
    throw error
  }
}

function assertNothingRuns(): void {
  for (const file of ['postgres.lock', 'postgres/postmaster.pid'])
    assert.ok(!existsSync(join(cwd, '.data', file)), file)
}

function assertNoSecrets(said: string): void {
  const secrets = [
    ...Object.values(readSecrets().passwords),
    readFileSync(join(cwd, '.data/app_secret'), 'utf8').trim(),
  ]
  assert.equal(secrets.length, 5)
  for (const secret of [...secrets, ada.password]) assert.ok(!said.includes(secret))
}

function readSecrets(): { port: number; passwords: Record<string, string> } {
  return JSON.parse(readFileSync(join(cwd, '.data/postgres.json'), 'utf8'))
}

async function text(url: string): Promise<string> {
  return (await fetch(url)).text()
}
