import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { parseEnv } from 'node:util'
import pg from 'pg'
import { chooseFreePort } from '../src/kernel/db/embedded-secrets.ts'
import { getTestServer } from '../src/testing/server.ts'
import { cleanUp, type Ended, makeFolder, person, runCli, send, startCli, until } from './run-cli.ts'
import { runInProcess } from './run-in-process.ts'

const COMMANDS = [
  'start',
  'serve',
  'worker',
  'migrate',
  'db setup',
  'doctor',
  'admin create',
  'admin suspend',
  'admin reactivate',
  'admin revoke-sessions',
  'audit verify',
  'files move',
  'files check',
  'listen',
  'trigger',
]
const SECRET = randomBytes(32).toString('base64url')
const prefix = `tenantry_test_cli_${randomBytes(4).toString('hex')}`
const serverUrl = await getTestServer()
const setup = `db setup --admin-url ${serverUrl} --database ${prefix} --prefix ${prefix}`
let cwd: string
/** The settings that the set-up printed. */
let urls: Record<string, string>

before(async () => {
  cwd = await makeFolder()
})
after(async () => {
  await cleanUp()
  await sql(serverUrl, `drop database if exists ${prefix} with (force)`)
  for (const role of ['owner', 'app', 'system']) await sql(serverUrl, `drop role if exists ${prefix}_${role}`)
})

describe('arguments', () => {
  test('every command says what it does', async () => {
    const overview = await runCli('--help')
    assert.equal(overview.code, 0)
    const helps = await Promise.all(COMMANDS.map((name) => runInProcess(`${name} --help`)))
    assert.equal(helps.length, COMMANDS.length)
    for (const [index, { code, out, err }] of helps.entries()) {
      assert.deepEqual([code, err], [0, ''])
      assert.match(out, new RegExp(`^Usage: tenantry ${COMMANDS[index]}\\b`))
      assert.match(overview.out, new RegExp(`^  ${COMMANDS[index]} +\\w`, 'm'))
    }
  })

  test('what is unknown is refused in one line that says where to look', async () => {
    const wrong = {
      strat: 'tenantry: there is no command "strat". See: tenantry --help',
      constructor: 'tenantry: there is no command "constructor". See: tenantry --help',
      '--loud': 'tenantry: there is no option "--loud". See: tenantry --help',
      'start --loud': "tenantry start: Unknown option '--loud'. See: tenantry start --help",
      'db setup':
        'tenantry db setup: --admin-url is required: an administrator of the server. See: tenantry db setup --help',
    }
    for (const [command, line] of Object.entries(wrong))
      assert.deepEqual(await runInProcess(command), { code: 2, out: '', err: `${line}\n` })
    assert.equal((await runCli('strat')).code, 2, 'the process ends with that')
  })

  test('a reader who has read enough is no mistake', async () => {
    for (const [command, expected] of Object.entries({ doctor: 1, '--help': 0, 'start --help': 0 })) {
      const { code, err } = await runCli(command, { cwd, env: { PORT: 'http' }, isDeaf: true })
      assert.deepEqual([code, err], [expected, ''], command)
    }
  })

  test('the version is that of the package', async () => {
    const { version } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'))
    assert.deepEqual(await runCli('--version'), { code: 0, out: `${version}\n`, err: '' })
  })

  test('an older Node is told apart before anything that it cannot read', async () => {
    const pretend = "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } })"
    const nodeArgs = ['--import', `data:text/javascript,${encodeURIComponent(pretend)}`]
    const { code, out, err } = await runCli('start', { nodeArgs })
    assert.deepEqual([code, out], [1, ''])
    assert.match(err, /^tenantry needs Node 24; .*"npm rebuild node" gets it\.\n$/)
  })
})

describe('settings', () => {
  test('every problem is named at once, those of the command included', async () => {
    const env = {
      NODE_ENV: 'production',
      PORT: 'http',
      SMTP_URL: 'smtp://mail',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'x',
      PUBLIC_URI: 'x',
    }
    const ends = await Promise.all(['start', 'serve', 'doctor'].map((command) => runInProcess(command, { env, cwd })))
    for (const { code, out, err } of ends) {
      assert.equal(code, 1)
      for (const start of [
        'PORT must be',
        'SMTP_URL is set, but MAIL_FROM is not',
        'OTEL_EXPORTER_OTLP_ENDPOINT is set, but',
        'PUBLIC_URI is no setting: PUBLIC_URL is',
        'PUBLIC_URL is required in production',
        'APP_SECRET is',
        'DATABASE_URL is required',
      ])
        assert.ok(`${out}${err}`.includes(` ${start}`), `${start}\n${out}${err}`)
      assert.doesNotMatch(err, /\n +at /)
    }
    assert.equal(ends[2]?.out.match(/WRONG {2}configuration/g)?.length, 7)
  })

  test('what many processes share must be known to all of them', async () => {
    const { code, err } = await runInProcess('serve', { cwd, env: { PORT: '0' } })
    assert.equal(code, 1)
    assert.match(
      err,
      /2 problem.*\n.*DATABASE_URL is required by "tenantry serve".*\n.*PUBLIC_URL is required with PORT=0/,
    )
  })
})

describe('on a server', () => {
  test('db setup prints three settings, and again changes nothing', async () => {
    const first = await runCli(setup)
    assert.equal(first.code, 0, first.err)
    urls = Object.fromEntries(Object.entries(parseEnv(first.out)).map(([name, url]) => [name, `${url}`]))
    assert.deepEqual(Object.keys(urls).sort(), ['DATABASE_OWNER_URL', 'DATABASE_SYSTEM_URL', 'DATABASE_URL'])
    const again = await runInProcess(setup)
    assert.equal(again.code, 0, again.err)
    assert.match(again.out, /^DATABASE_URL=postgres:\/\/\w+_app:<password>@/m)
    assert.match(again.out, /--reset-passwords makes new ones/)
    for (const url of Object.values(urls)) await sql(url, 'select 1')
    await writeFile(join(cwd, '.env'), `${first.out}\nAPP_SECRET=${SECRET}\n`)
  })

  test('before the migrations nothing serves, and the doctor says what to do', async () => {
    const [serve, worker, doctor] = await Promise.all(
      ['serve', 'worker', 'doctor'].map((name) => runInProcess(name, { cwd })),
    )
    for (const end of [serve, worker]) refused(end, /The schema lacks \d+ migrations .*run "tenantry migrate" first/)
    refused(doctor, /WRONG {2}schema: \d+ migrations not applied .*run "tenantry migrate"/)
  })

  test('migrate brings the schema, and then the doctor is content', async () => {
    const ends = await Promise.all([runCli('migrate', { cwd }), runCli('migrate', { cwd })])
    assert.deepEqual(
      ends.map(({ code }) => code),
      [0, 0],
      ends.map(({ err }) => err).join(),
    )
    assert.deepEqual(ends.filter(({ out }) => out === 'The schema is up to date.\n').length, 1)
    const doctor = await runInProcess('doctor', { cwd })
    assert.deepEqual([doctor.code, doctor.err], [0, ''], doctor.out)
    assert.match(doctor.out, /\n\nAll is well\.\n$/)
    for (const secret of secrets()) assert.ok(!doctor.out.includes(secret))
  })

  test('a mail that serve promised is sent by worker', async () => {
    const port = await chooseFreePort()
    const env = { PORT: `${port}`, PUBLIC_URL: 'http://localhost:8000', LOG_LEVEL: 'trace' }
    const [serve, worker] = [startCli('serve', { cwd, env }), startCli('worker', { cwd, env })]
    const api = `http://localhost:${port}/api/v1`
    await Promise.all([serve.says('Bootstrap token'), worker.says('Worker ')])
    assert.doesNotMatch(serve.said(), /Worker /)
    assert.doesNotMatch(worker.said(), /API|Bootstrap/)
    assert.equal((await send(`${api}/auth/register`, person('ada@example.com'))).status, 201)
    const mail = await until('the mail', worker.said, findMail)
    assert.deepEqual([mail.to, /http:\/\/localhost:8000\S*token=/.test(mail.text)], ['ada@example.com', true])
    const ends = await Promise.all([serve.stop(), worker.stop()])
    for (const { code, out, err } of ends) {
      assert.deepEqual([code, err], [0, ''])
      for (const secret of secrets()) assert.ok(!out.includes(secret))
    }
  })

  test('in production serve and worker speak in lines of the log, and show metrics on a port of their own', async () => {
    const ports = await Promise.all([1, 2, 3].map(() => chooseFreePort()))
    const [port, ...probes] = ports.map(String)
    const settings = { NODE_ENV: 'production', PUBLIC_URL: 'https://app.example.com', MAIL: 'off', PORT: `${port}` }
    const without = await runInProcess('serve', { cwd, env: settings })
    refused(without, /BOOTSTRAP_TOKEN is required in production until the first super admin exists/)
    const env = { ...settings, BOOTSTRAP_TOKEN: 'a-token-for-the-first-one' }
    const running = ['serve', 'worker'].map((command, i) =>
      startCli(command, { cwd, env: { ...env, WORKER_PORT: `${probes[i]}` } }),
    )
    for (const each of running) await each.says('Tenantry is ready')
    for (const probe of probes) {
      const [ready, metrics, api] = await Promise.all(
        ['health/ready', 'metrics', 'api/v1/subscriptions/plans'].map((path) =>
          fetch(`http://127.0.0.1:${probe}/${path}`),
        ),
      )
      assert.deepEqual([ready?.status, metrics?.status, api?.status], [200, 200, 404])
      assert.match((await metrics?.text()) ?? '', /tenantry_jobs_waiting/)
    }
    for (const path of ['metrics', 'api/docs', 'api/openapi.json', 'dev/mailbox'])
      assert.equal((await fetch(`http://127.0.0.1:${port}/${path}`)).status, 404, path)
    for (const { code, out, err } of await Promise.all(running.map((each) => each.stop()))) {
      assert.deepEqual([code, err], [0, ''])
      const messages = out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).msg)
      assert.ok(messages.some((message) => /^Tenantry is ready/.test(message)))
      assert.ok(messages.some((message) => /^SIGTERM: finishing/.test(message)))
      for (const secret of [...secrets(), env.BOOTSTRAP_TOKEN]) assert.ok(!out.includes(secret))
    }
  })

  test('outside of production a start that other machines reach warns of it', async () => {
    const env = { PORT: `${await chooseFreePort()}`, HOST: '0.0.0.0', FORCE_COLOR: '1' }
    const open = startCli('start', { cwd, env })
    await open.says(/WARNING: HOST=0\.0\.0\.0 lets other machines in, and NODE_ENV=development/)
    const [before = ''] = open.said().split('WARNING')
    assert.ok(before.trimEnd().endsWith('\u001b[31m\u001b[1m'), 'it is in red')
    const own = startCli('start', { cwd, env: { PORT: `${await chooseFreePort()}`, HOST: 'localhost' } })
    await own.says('Tenantry is ready')
    assert.doesNotMatch((await own.stop()).out, /WARNING/)
    assert.equal((await open.stop()).code, 0)
  })

  test('a secret that opens nothing of the database is told by the doctor, and never made up', async () => {
    const doctor = await runInProcess('doctor', { cwd, env: { APP_SECRET: randomBytes(32).toString('base64url') } })
    refused(
      doctor,
      /WRONG {2}secrets: APP_SECRET does not open (?:the mails in the log, )?signing keys\.\n {9}Put the secret/,
    )
    const [elsewhere, env] = [await makeFolder(), { ...urls, PUBLIC_URL: 'http://localhost:8000' }]
    refused(
      await runInProcess('worker', { cwd: elsewhere, env }),
      /app_secret holds does not open the .*signing keys .*: restore/,
    )
  })

  test('start on a server says a taken port in one line too', async () => {
    const { port } = new URL(serverUrl)
    const { code, err } = await runInProcess('start', { cwd, env: { PORT: port } })
    assert.deepEqual([code, err.split('\n').length], [1, 2], err)
    assert.match(err, new RegExp(`^tenantry start: Port ${port} on 127.0.0.1 is taken`))
  })
})

describe('what is unsafe or broken', () => {
  test('a role that row-level security does not bind is refused', async () => {
    const superuser = new URL(serverUrl)
    superuser.pathname = `/${prefix}`
    const unsafe = {
      superuser: superuser.href,
      owner: `${urls.DATABASE_OWNER_URL}`,
      system: `${urls.DATABASE_SYSTEM_URL}`,
    }
    const serves = Object.values(unsafe).map((url) => runInProcess('serve', { cwd, env: { DATABASE_URL: url } }))
    const apart = /^tenantry serve: The database roles do not keep tenants apart:\n {2}- the application role /
    const ends = await Promise.all(serves)
    for (const [index, end] of ends.entries()) refused(end, apart, Object.keys(unsafe)[index])
    refused(ends[1], /the application role \w+ owns the [^\n]+ and \d+ more\n/)
    assert.ok((ends[1]?.err.split('\n').length ?? 0) <= 7, ends[1]?.err)
    const doctor = await runInProcess('doctor', { cwd, env: { DATABASE_URL: unsafe.superuser } })
    refused(doctor, /WRONG {2}roles: the application role .* is a superuser\n[\s\S]*Run "tenantry db setup"/)
    await sql(serverUrl, `alter role ${prefix}_app bypassrls`)
    const bypassing = await Promise.all([runInProcess('worker', { cwd }), runInProcess('doctor', { cwd })])
    for (const end of bypassing) refused(end, new RegExp(`${prefix}_app bypasses row-level security`))
    assert.equal((await runInProcess(setup)).code, 0)
    assert.equal((await runInProcess('doctor', { cwd })).code, 0, 'db setup mends it')
  })

  test('the doctor finds what is wrong with database and mail, all at once', async () => {
    const owner = `${urls.DATABASE_OWNER_URL}`
    await sql(owner, 'create table core.notes (tenant_id uuid, id uuid); drop policy tenant_isolation on core.stores')
    const env = { SMTP_URL: 'smtp://ada:hunter2@127.0.0.1:1', MAIL_FROM: 'ada@example.com' }
    const doctor = await runInProcess('doctor', { cwd, env })
    refused(doctor, /WRONG {2}tables: table stores has no policy tenant_isolation/)
    assert.match(doctor.out, /WRONG {2}tables: table notes is registered neither .*\n/)
    assert.match(doctor.out, /WRONG {2}tables: .*\n {9}docs\/writing-a-module\.md/)
    assert.match(doctor.out, /WRONG {2}mail: .*\n {9}Correct SMTP_URL/)
    assert.match(doctor.out, /\d problems\.\n$/)
    assert.doesNotMatch(doctor.out, /hunter2/)
  })

  test('URLs that lead nowhere are each named, with what to do', async () => {
    const env = {
      DATABASE_URL: 'postgres://app:hunter2@127.0.0.1:1/x',
      DATABASE_SYSTEM_URL: withPath('/no_such_database'),
      DATABASE_OWNER_URL: withPath(`/${prefix}`, 'nobody_at_all'),
    }
    for (const end of await Promise.all(
      ['doctor', 'serve', 'migrate'].map((command) => runInProcess(command, { cwd, env })),
    )) {
      refused(end, /DATABASE_URL: no PostgreSQL answers at 127\.0\.0\.1:1 .*Start it, or correct the URL/)
      refused(end, /DATABASE_SYSTEM_URL: .*"no_such_database" does not exist.*"tenantry db setup"/)
      refused(end, /DATABASE_OWNER_URL: .* does not let nobody_at_all in/)
      assert.doesNotMatch(end.out + end.err, /hunter2/)
    }
  })

  test('migrations that are newer than the code, or were edited, are refused', async () => {
    const owner = `${urls.DATABASE_OWNER_URL}`
    await sql(owner, "insert into tenantry.migrations (module, name, checksum) values ('stores', '9999.sql', '')")
    for (const end of await Promise.all(
      ['doctor', 'serve', 'migrate'].map((command) => runInProcess(command, { cwd })),
    ))
      refused(end, /The database is newer than this code: it has stores\/9999\.sql\. Update the code\./)
    await sql(
      owner,
      "delete from tenantry.migrations where name = '9999.sql'; update tenantry.migrations set checksum = '0' where module = 'stores'",
    )
    refused(await runInProcess('doctor', { cwd }), /WRONG {2}schema: stores\/0001\.sql was edited after it was applied/)
  })
})

/** Exit code 1, in words without a stack. */
function refused(end: Ended | undefined, words: RegExp, message?: string): void {
  const said = `${end?.out}${end?.err}`
  assert.match(said, words, message)
  assert.equal(end?.code, 1, said)
  assert.doesNotMatch(said, /\n +at /)
}

function secrets(): string[] {
  return [SECRET, ...Object.values(urls).map((url) => new URL(url).password)]
}

async function findMail(): Promise<{ to: string; text: string } | undefined> {
  const folder = join(cwd, '.data', 'mailbox')
  const [file] = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.json'))
  return file === undefined ? undefined : JSON.parse(await readFile(join(folder, file), 'utf8'))
}

/** The server's URL, leading to another database, as another role. */
function withPath(pathname: string, username?: string): string {
  return Object.assign(new URL(serverUrl), { pathname, ...(username && { username, password: 'hunter2' }) }).href
}

async function sql(url: string, statement: string): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
