// A process of bench/mails.ts: a mail server that takes everything, a bare loop of nodemailer, or a worker of the core.
import type { AddressInfo } from 'node:net'
import { createTransport } from 'nodemailer'
import pino from 'pino'
import { SMTPServer } from 'smtp-server'
import { builtinModules, createCore, loadConfig } from 'tenantry'
import { createRegistry } from '../core/src/kernel/registry.ts'
import { renderMail } from '../core/src/modules/mail/render.ts'
import { DATA } from './mails-letter.ts'

const tell = (told: object) => process.send?.({ port: 0, ...told })
const onAsked = (work: (amount: number) => Promise<void> | void) =>
  process.on('message', async (message) => {
    if (message === 'cost') {
      const { user, system } = process.cpuUsage()
      tell({ cpu: user + system })
    } else await work(Number(message))
  })

/** Tells when as many mails have come as it was asked for, and when the first came to whoever is not in the burst. */
function startSink(): void {
  let [wanted, came] = [0, 0]
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData: (stream, session, done) =>
      stream.resume().on('end', () => {
        if (session.envelope.rcptTo[0]?.address.startsWith('other')) tell({ other: true })
        done()
        if (++came === wanted) tell({ came })
      }),
  })
  onAsked((amount) => {
    wanted = amount
    came = 0
    tell({ waits: true })
  })
  server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.server.address() as AddressInfo).port })) // it listens on a port
}

function startLoop(): void {
  const transport = createTransport({ url: process.env.SMTP_URL, pool: true })
  const { mails, messages } = createRegistry(builtinModules)
  const mail = mails.get('new_owner')
  if (!mail) throw new Error('There is no such mail')
  const written = renderMail(messages, mail, DATA, { publicUrl: 'http://localhost', product: 'Tenantry' })
  onAsked(async (amount) => {
    for (let i = 0; i < amount; i++)
      await transport.sendMail({ from: 'Bench <bench@example.com>', to: `ann${i}@example.com`, ...written })
  })
  tell({})
}

async function startCore(): Promise<void> {
  const log = pino({ level: 'warn' })
  const core = await createCore({ config: loadConfig(process.env, builtinModules), modules: builtinModules, log })
  onAsked(() => core.startWorker())
  // What was sent is written down before it ends, else it is sent once more.
  process.once('SIGTERM', () => void core.close().then(() => process.exit(0)))
  tell({})
}

const roles = { sink: startSink, loop: startLoop, core: startCore }
await roles[process.env.BENCH_ROLE as keyof typeof roles]() // said by whoever starts it
