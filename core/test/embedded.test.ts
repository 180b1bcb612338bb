import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, afterEach, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { type Embedded, EmbeddedAlreadyRunning, startEmbedded } from '../src/kernel/db/embedded.ts'
import { repairInstall } from '../src/kernel/db/embedded-binaries.ts'
import { findProcessMark } from '../src/kernel/db/embedded-process.ts'
import { until } from '../src/testing/until.ts'

const isRoot = process.getuid?.() === 0
const fixture = new URL('./start-embedded.ts', import.meta.url).pathname
const children: ChildProcess[] = []
const folders: string[] = []

// One cluster serves most tests, one after the other; each leaves it stopped.
const dataDir = await makeFolder(0o755)

// A failed test leaves its process running, which would refuse the folder to the next test.
afterEach(async () => {
  for (const child of children.splice(0)) if (child.exitCode === null && child.signalCode === null) await kill(child)
})

after(async () => {
  // What a failed test left running is ended by a start, as it would be for anybody.
  for (const folder of folders.filter((path) => existsSync(join(path, 'postgres', 'postmaster.pid')))) {
    await startEmbedded({ dataDir: folder }).then(
      (embedded) => embedded.stop(),
      () => undefined,
    )
  }
  // Data folders inside others come first, while the link to their data can still be followed.
  for (const folder of folders.reverse()) {
    if (existsSync(join(folder, 'postgres'))) await rm(realpathSync(join(folder, 'postgres')), { recursive: true })
    await rm(folder, { recursive: true, force: true })
  }
})

test('the first start creates a cluster, closed to all but 127.0.0.1 with a password', async () => {
  const embedded = await startEmbedded({ dataDir })
  try {
    const names = ['server_encoding', 'TimeZone', 'listen_addresses', 'unix_socket_directories', 'fsync']
    const settings = await query(
      embedded.superuserUrl,
      `select name, setting from pg_settings where name in ('${names.join("', '")}')`,
    )
    assert.deepEqual(Object.fromEntries(settings.map(({ name, setting }) => [name, setting])), {
      server_encoding: 'UTF8',
      TimeZone: 'UTC',
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      fsync: 'on',
    })
    const session = "select current_user as role, current_setting('TimeZone') as zone, lower('ÄÖ') as lower"
    assert.deepEqual(await query(embedded.appUrl, session), [{ role: 'tenantry_app', zone: 'UTC', lower: 'äö' }])
    const rules = await query(embedded.superuserUrl, 'select distinct auth_method as method from pg_hba_file_rules')
    assert.deepEqual(rules, [{ method: 'scram-sha-256' }])
    const wrong = embedded.superuserUrl.replace(/:[^:@]+@/, ':wrong@')
    await assert.rejects(query(wrong, 'select 1'), { code: '28P01' })
    for (const name of ['postgres.json', 'postgres.log'])
      assert.equal(statSync(join(dataDir, name)).mode & 0o777, 0o600)
    await query(embedded.ownerUrl, 'create table core.kept (value int)')
    await query(embedded.ownerUrl, 'insert into core.kept values (1)')
  } finally {
    await embedded.stop()
  }
})

test('programs that were installed without scripts, or lost their mode, are made to start', async () => {
  const folder = await makeFolder(0o755)
  const [bin, lib] = [join(folder, 'native', 'bin'), join(folder, 'native', 'lib')]
  for (const path of [bin, lib]) await mkdir(path, { recursive: true })
  const programs = ['initdb', 'postgres', 'pg_ctl'].map((name) => join(bin, name))
  for (const path of programs) await writeFile(path, '#!/bin/sh\n', { mode: 0o600 })
  const library = join(lib, 'libpq.so.5.18')
  await writeFile(library, 'a library')
  const links = ['libpq.so', 'libpq.so.5'].map((name) => ({
    source: 'native/lib/libpq.so.5.18',
    target: `native/lib/${name}`,
  }))
  await writeFile(join(folder, 'native', 'pg-symlinks.json'), JSON.stringify(links))
  for (let time = 0; time < 2; time++) {
    await repairInstall(folder)
    for (const path of programs) assert.equal(statSync(path).mode & 0o777, 0o755, path)
    for (const { target } of links) assert.equal(readFileSync(join(folder, target), 'utf8'), 'a library', target)
  }
})

test('a later start keeps data, passwords and port', async () => {
  const before = await readFile(join(dataDir, 'postgres.json'), 'utf8')
  await withEmbedded(async (embedded) => assertKept(embedded))
  assert.equal(await readFile(join(dataDir, 'postgres.json'), 'utf8'), before)
})

test('a second start is refused while the first runs, in one process and in two', async () => {
  const first = await startEmbedded({ dataDir, durable: false })
  await assert.rejects(startEmbedded({ dataDir }), { name: 'EmbeddedAlreadyRunning', pid: process.pid })
  await first.stop()
  const other = await startChild(dataDir)
  await assert.rejects(startEmbedded({ dataDir }), (error) => {
    assert.ok(error instanceof EmbeddedAlreadyRunning)
    assert.equal(error.pid, other.child.pid)
    assert.equal(error.folder, realpathSync(dataDir))
    assert.match(error.message, new RegExp(`${error.folder} is already in use by process ${error.pid}`))
    return true
  })
  assert.deepEqual(await query(other.ownerUrl, 'select value from core.kept'), [{ value: 1 }])
  await stopChild(other.child)
})

test('after kill -9 of the process its orphaned server is stopped and the data is there', async () => {
  const killed = await startChild(dataDir)
  const orphan = postmasterPid(dataDir)
  await kill(killed.child)
  assert.ok(await findProcessMark(orphan), 'the server survives')
  await withEmbedded(async (embedded) => {
    assert.notEqual(postmasterPid(dataDir), orphan)
    assert.equal(await findProcessMark(orphan), undefined)
    await assertKept(embedded)
  })
})

test('after kill -9 of process and server, with a query still computing, the data is recovered', async () => {
  const killed = await startChild(dataDir)
  await query(killed.ownerUrl, 'insert into core.kept values (2)')
  const busy = new pg.Client({ connectionString: killed.superuserUrl })
  busy.on('error', () => undefined)
  await busy.connect()
  const { rows } = await busy.query('select pg_backend_pid() as pid')
  busy.query('select count(*) from generate_series(1, 100000000000)').catch(() => undefined)
  const server = postmasterPid(dataDir)
  const computing = `select from pg_stat_activity where pid = ${rows[0].pid} and state = 'active'`
  await until('it computes', async () => (await query(killed.superuserUrl, computing)).length === 1)
  await kill(killed.child)
  process.kill(server, 'SIGKILL')
  await sleep(100)
  assert.ok(await findProcessMark(rows[0].pid), 'the query survives')
  await withEmbedded(async (embedded) => {
    assert.deepEqual(await query(embedded.ownerUrl, 'delete from core.kept where value = 2 returning value'), [
      { value: 2 },
    ])
    await assertKept(embedded)
  })
})

test('a process that has the id of a dead holder or a dead server does not block the start', async () => {
  await withEmbedded(async () => undefined)
  const folder = join(dataDir, 'postgres')
  const { uid, gid } = statSync(folder)
  const stranger = spawn('sleep', ['3600'], { uid: isRoot ? uid : undefined, gid: isRoot ? gid : undefined })
  children.push(stranger)
  await writeFile(join(dataDir, 'postgres.lock'), `${stranger.pid}\nanother life\n0123456789abcdef\n`)
  await writeFile(join(folder, 'postmaster.pid'), `${stranger.pid}\n${folder}\n1\n1\n\n127.0.0.1\n0 0\nready\n`)
  await withEmbedded(assertKept)
  assert.equal(stranger.exitCode ?? stranger.signalCode, null)
  await kill(stranger)
})

test('a taken port is left for another one, unless it was asked for', async () => {
  const { port } = JSON.parse(await readFile(join(dataDir, 'postgres.json'), 'utf8'))
  const occupant = createServer().listen(port, '127.0.0.1')
  await once(occupant, 'listening')
  await assert.rejects(startEmbedded({ dataDir, port }), { message: new RegExp(`Port ${port} .* is taken`) })
  const moved = await withEmbedded(async (embedded) => embedded.port)
  assert.notEqual(moved, port)
  occupant.close()
  assert.equal(await withEmbedded(async (embedded) => embedded.port), moved)
})

test('Ctrl-C reaches the process only, which can still use the database while it ends', async () => {
  const { child, nextLine } = await startChild(dataDir)
  assert.ok(child.pid)
  process.kill(-child.pid, 'SIGINT')
  assert.equal(await nextLine(), 'drained')
  await once(child, 'exit')
})

test('a server that does not start is explained by the end of its log', async () => {
  const file = join(dataDir, 'postgres', 'postgresql.conf')
  const good = await readFile(file, 'utf8')
  await writeFile(file, `${good}\nno such thing here\n`)
  await assert.rejects(startEmbedded({ dataDir }), { message: /did not start[\s\S]*syntax error in file/ })
  await writeFile(file, good)
  await withEmbedded(assertKept)
})

test('a log beyond its bound is emptied at the start', async () => {
  await writeFile(join(dataDir, 'postgres.log'), Buffer.alloc(11 * 1024 * 1024, 'x'))
  await withEmbedded(async () => undefined)
  assert.ok(statSync(join(dataDir, 'postgres.log')).size < 100_000)
})

test('a first start killed in the middle is begun again', async () => {
  const folder = await killInTheMiddle()
  const embedded = await startEmbedded({ dataDir: folder, durable: false })
  await embedded.stop()
  assert.deepEqual((await readdir(folder)).sort(), ['postgres', 'postgres.json', 'postgres.log'])
})

test('a data folder closed to other users works, for root through a link to a reachable one', async () => {
  const closed = await makeFolder(0o700)
  const dataDir = join(closed, 'deep', '.data')
  folders.push(dataDir)
  const killed = await startChild(dataDir)
  await query(killed.ownerUrl, 'create table core.kept as select 1 as value')
  const home = realpathSync(join(dataDir, 'postgres'))
  assert.equal(home.startsWith('/var/lib/tenantry/'), isRoot)
  await kill(killed.child)
  const embedded = await startEmbedded({ dataDir, durable: false })
  await assertKept(embedded)
  await embedded.stop()
  assert.equal(realpathSync(join(dataDir, 'postgres')), home)
})

test('a checkout closed to other users works, for root with a copy of the programs', async () => {
  const checkout = await makeFolder(0o700)
  const root = fileURLToPath(new URL('../../', import.meta.url))
  const needed = (await readdir(join(root, 'node_modules'))).filter((name) =>
    /^@?(embedded|pg|postgres|split2|xtend)/.test(name),
  )
  for (const part of [
    ...needed.map((name) => join('node_modules', name)),
    'core/src/kernel',
    'core/test/start-embedded.ts',
  ]) {
    await cp(join(root, part), join(checkout, part), { recursive: true, verbatimSymlinks: true })
  }
  await writeFile(join(checkout, 'package.json'), '{"type": "module"}')
  const dataDir = join(checkout, '.data')
  folders.push(dataDir)
  const { child, superuserUrl } = await startChild(dataDir, join(checkout, 'core/test/start-embedded.ts'))
  const [programs] = await query(superuserUrl, `select setting from pg_config where name = 'BINDIR'`)
  assert.equal(programs?.setting.startsWith('/var/lib/tenantry/postgresql-18'), isRoot)
  await stopChild(child)
})

test('data that became unreachable is moved, and data of a removed folder is put aside', async () => {
  const closed = await makeFolder(0o755)
  const dataDir = join(closed, '.data')
  folders.push(dataDir)
  const open = await startEmbedded({ dataDir, durable: false })
  await query(open.ownerUrl, 'create table core.kept as select 1 as value')
  await open.stop()
  await chmod(closed, 0o700)
  const moved = await startEmbedded({ dataDir, durable: false })
  await assertKept(moved)
  await moved.stop()
  const home = realpathSync(join(dataDir, 'postgres'))
  assert.equal(home.startsWith('/var/lib/tenantry/'), isRoot)

  await rm(dataDir, { recursive: true })
  const lines: string[] = []
  const fresh = await startEmbedded({ dataDir, durable: false, log: (line) => lines.push(line) })
  assert.deepEqual(await query(fresh.ownerUrl, "select to_regclass('core.kept') as kept"), [{ kept: null }])
  await fresh.stop()
  assert.equal(
    lines.some((line) => line.endsWith(`put aside as ${home}.previous`)),
    isRoot,
  )
  await rm(`${home}.previous`, { recursive: true, force: true })
})

test('a link to a folder that is gone is named instead of beginning anew', async () => {
  const folder = await makeFolder(0o755)
  execFileSync('ln', ['-s', join(folder, 'gone'), join(folder, 'postgres')])
  await assert.rejects(startEmbedded({ dataDir: folder }), { message: /points to a folder that is gone/ })
  await rm(join(folder, 'postgres'))
})

/** Kills a first start while it makes the cluster; again where that was done before anybody looked. */
async function killInTheMiddle(): Promise<string> {
  for (let attempt = 0; attempt < 5; attempt++) {
    const folder = await makeFolder(0o755)
    const child = spawnChild(folder)
    const begun = /^postgres(\.init-.*PG_VERSION)?$/
    await until('it makes files', () => listFiles(folder).some((name) => begun.test(name)))
    await kill(child)
    if (!existsSync(join(folder, 'postgres'))) return folder
    await (await startEmbedded({ dataDir: folder, durable: false })).stop()
  }
  assert.fail('it was complete each time before it could be killed')
}

function listFiles(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
  } catch {
    return [] // a file went while it was looked at
  }
}

async function makeFolder(mode: number): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'embedded-'))
  await chmod(folder, mode)
  folders.push(folder)
  return folder
}

async function withEmbedded<Result>(work: (embedded: Embedded) => Promise<Result>): Promise<Result> {
  const embedded = await startEmbedded({ dataDir, durable: false })
  try {
    return await work(embedded)
  } finally {
    await embedded.stop()
  }
}

async function assertKept(embedded: Embedded): Promise<void> {
  assert.deepEqual(await query(embedded.ownerUrl, 'select value from core.kept'), [{ value: 1 }])
}

async function query(connectionString: string, sql: string) {
  const client = new pg.Client({ connectionString })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

function spawnChild(folder: string, script = fixture): ChildProcess {
  const child = spawn(process.execPath, [script, folder], { stdio: ['ignore', 'pipe', 'inherit'], detached: true })
  children.push(child)
  return child
}

async function startChild(folder: string, script = fixture) {
  const child = spawnChild(folder, script)
  assert.ok(child.stdout)
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const nextLine = async () => String((await lines.next()).value)
  const urls: Embedded = JSON.parse(await nextLine())
  return { ...urls, child, nextLine }
}

async function stopChild(child: ChildProcess): Promise<void> {
  child.kill('SIGINT')
  await once(child, 'exit')
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL')
  await once(child, 'exit')
}

function postmasterPid(folder: string): number {
  return Number.parseInt(readFileSync(join(folder, 'postgres', 'postmaster.pid'), 'utf8'), 10)
}
