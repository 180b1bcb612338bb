import { isLoopback } from '../kernel/addresses/loopback.ts'
import { hasMailbox } from '../kernel/config/mailbox.ts'
import type { Core } from '../kernel/core.ts'
import type { Environment } from './environment.ts'
import type { Voice } from './voice.ts'

interface Running {
  voice: Voice
  serve: boolean
  work: boolean
}

/**
 * Reports what runs and where, on one screen or in one line of the log, and warns of anything that is publicly
 * reachable.
 */
export async function welcome(core: Core, environment: Environment, running: Running): Promise<void> {
  const { config, product } = core
  const { voice } = running
  const lines = await describe(core, environment, running)
  const seconds = process.uptime().toFixed(1)
  if (config.env === 'production') {
    const details = Object.fromEntries(lines.map(([name, text]) => [name.toLowerCase().replaceAll(' ', '_'), text]))
    voice.say(`${product.name} is ready (${seconds} s)`, details)
    return
  }
  const width = Math.max(...lines.map(([name]) => name.length))
  const body = lines.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`)
  voice.say(['', `  ${product.name} is ready (${seconds} s)`, '', ...body, ''].join('\n'))
  const { host } = config.http
  if (running.serve && !isLoopback(host))
    voice.warn(
      `  WARNING: HOST=${host} lets other machines in, and NODE_ENV=${config.env} is not meant for that: what keeps an
  installation safe is not asked for. Set HOST=127.0.0.1, or NODE_ENV=production.\n`,
    )
}

async function describe(
  core: Core,
  environment: Environment,
  { serve, work }: Running,
): Promise<[name: string, text: string][]> {
  const { config } = core
  const { host, port, probePort, apiDocsPublic } = config.http
  const lines: [string, string][] = []
  if (serve) {
    const base = localBase(host, port)
    lines.push(['API', `${base}/api/v1`])
    if (apiDocsPublic) lines.push(['Docs', `${base}/api/docs`])
    if (hasMailbox(config)) lines.push(['Mailbox', `${base}/dev/mailbox`])
  }
  if (probePort !== null) lines.push(['Probes', `${localBase(host, probePort)}/health/ready, /metrics`])
  lines.push(['Database', describeDatabase(environment)])
  if (work) lines.push(['Worker', `${config.worker.concurrency} jobs at a time`])
  // The lines of modules are for callers of the API.
  if (serve) for (const module of core.registry.modules) lines.push(...((await module.welcome?.(core)) ?? []))
  return lines
}

function localBase(host: string, port: number): string {
  const name = host === '127.0.0.1' || host === '0.0.0.0' || host === '::' ? 'localhost' : host
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`
}

function describeDatabase({ config, embeddedPort }: Environment): string {
  if (embeddedPort !== null) return `embedded PostgreSQL on 127.0.0.1:${embeddedPort}, data in ${config.dataDir}`
  const url = new URL(config.database.appUrl ?? 'postgres://') // never unset here
  return `PostgreSQL at ${url.host}${url.pathname}`
}
