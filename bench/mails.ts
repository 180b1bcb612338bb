// How many mails a second go through a local mail server: by a bare loop of nodemailer, and by the core with its log, jobs
// and sealed data, alternating in one run. And how long another tenant waits for one mail beside a burst of one.
// node bench/mails.ts [--rounds 5] [--amount 2000] [--burst 10000]
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import pg from 'pg'
import pino from 'pino'
import { builtinModules, type Core, createCore, loadConfig, newId } from 'tenantry'
import { cpuOf, type Server } from './child.ts'
import { median, startBench } from './harness.ts'
import { DATA } from './mails-letter.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    amount: { type: 'string', default: '2000' },
    burst: { type: 'string', default: '10000' },
  },
})
const amount = Number(values.amount)
const burst = Number(values.burst)

const bench = await startBench()
let poster: Core | undefined
try {
  const sink = await bench.launch('mails-child.ts', { BENCH_ROLE: 'sink' })
  const env = {
    DATABASE_URL: bench.database.appUrl,
    DATABASE_SYSTEM_URL: bench.database.systemUrl,
    APP_SECRET: 'only-for-the-bench-0123456789-abcdefghijklmnop',
    SMTP_URL: `smtp://127.0.0.1:${sink.port}`,
    MAIL_FROM: 'Bench <bench@example.com>',
    LOG_LEVEL: 'warn',
  }
  poster = await createCore({
    config: loadConfig(env, builtinModules),
    modules: builtinModules,
    log: pino({ level: 'warn' }),
  })
  await poster.prepare()
  const loop = await bench.launch('mails-child.ts', { ...env, BENCH_ROLE: 'loop' })
  const rates: { loop: number; core: number; cpu: number }[] = []
  for (let round = -1; round < Number(values.rounds); round++) {
    const bare = await perSecond(sink, () => loop.child.send(amount))
    await postMany(poster, await openTenant(), amount)
    const core = await bench.launch('mails-child.ts', { ...env, BENCH_ROLE: 'core' })
    const before = await cpuOf(core)
    const ours = await perSecond(sink, () => core.child.send(1))
    const cpu = ((await cpuOf(core)) - before) / amount
    await end(core)
    // A first round that does not count warms all of them up.
    if (round >= 0) rates.push({ loop: bare, core: ours, cpu })
  }
  const ratio = median(rates.map(({ loop, core }) => core / loop))
  const of = (name: 'loop' | 'core' | 'cpu') => median(rates.map((rate) => rate[name])).toFixed(0)
  process.stdout.write(
    `\nMails a second: nodemailer ${of('loop')}, the core ${of('core')} (${of('cpu')} CPU µs each); ratio ${ratio.toFixed(2)}, target 0.5\n`,
  )
  await showDelay(poster, sink, { ...env, BENCH_ROLE: 'core' })
} finally {
  await poster?.close()
  await bench.stop()
}

async function end({ child }: Server): Promise<void> {
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
}

/** How many mails a second arrive once `start` is called. */
async function perSecond(sink: Server, start: () => void): Promise<number> {
  sink.child.send(amount)
  await told(sink, 'waits')
  const begun = performance.now()
  const all = told(sink, 'came')
  start()
  await all
  return amount / ((performance.now() - begun) / 1000)
}

/** How long the mail of another tenant takes that is posted in the midst of a burst, and how long the burst. */
async function showDelay(core: Core, sink: Server, env: Record<string, string>): Promise<void> {
  await postMany(core, await openTenant(), burst)
  const worker = await bench.launch('mails-child.ts', env)
  sink.child.send(burst + 1)
  await told(sink, 'waits')
  const begun = performance.now()
  worker.child.send(1)
  const seconds = () => ((performance.now() - begun) / 1000).toFixed(1)
  const other = await openTenant()
  await new Promise((resolve) => setTimeout(resolve, 2_000))
  const posted = performance.now()
  const [all, arrived] = [told(sink, 'came'), told(sink, 'other')]
  await postMany(core, other, 1, 'other')
  await arrived
  const waited = ((performance.now() - posted) / 1000).toFixed(1)
  await all
  const took = seconds()
  await end(worker)
  process.stdout.write(`Beside ${burst} mails of one tenant (${took} s) the mail of another took ${waited} s\n`)
}

/** A tenant, with its row: what a mail looks like stands there. Returns its id. */
async function openTenant(): Promise<string> {
  const owner = new pg.Client({ connectionString: bench.database.ownerUrl })
  await owner.connect()
  try {
    const id = newId()
    await owner.query(
      `with person as (
         insert into core.users (id, email, email_normalized, name, locale, timezone, two_factor_enabled, is_super_admin, status, created_at, updated_at)
         values ($1::uuid, $1 || '@example.com', $1 || '@example.com', 'Owner', 'en', 'UTC', false, false, 'active', now(), now()) returning id)
       insert into core.tenants (id, name, slug, status, owner_id, settings, branding, created_at, updated_at)
       select $1::uuid, 'Acme', 't-' || $1, 'active', id, '{}', '{}', now(), now() from person`,
      [id],
    )
    return id
  } finally {
    await owner.end()
  }
}

function told({ child }: Server, what: string): Promise<void> {
  return new Promise((resolve) => {
    const hear = (message: object) => {
      if (!(what in message)) return
      child.off('message', hear)
      resolve()
    }
    child.on('message', hear)
  })
}

async function postMany(core: Core, tenantId: string, many: number, name = 'ann'): Promise<void> {
  const mail = core.registry.mails.get('new_owner')
  if (!mail) throw new Error('There is no such mail')
  for (let posted = 0; posted < many; posted += 500)
    await core.run(
      async (ctx) => {
        for (let i = posted; i < Math.min(posted + 500, many); i++)
          await ctx.mail(mail, { to: `${name}${i}@example.com`, data: DATA })
      },
      { tenantId },
    )
}
