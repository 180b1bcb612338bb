import type { Core } from '../kernel/core.ts'
import type { Environment } from './environment.ts'

/** The one screen that says what runs and where. */
export async function welcome(
  core: Core,
  environment: Environment,
  running: { serve: boolean; work: boolean },
): Promise<string> {
  const { config } = core
  const lines: [string, string][] = []
  if (running.serve) {
    const base = localBase(config.http.host, config.http.port)
    lines.push(['API', `${base}/api/v1`], ['Docs', `${base}/api/docs`])
    if (config.env !== 'production' && config.mail.smtpUrl === null) lines.push(['Mailbox', `${base}/dev/mailbox`])
  }
  lines.push(['Database', describeDatabase(environment)])
  if (running.work) lines.push(['Worker', `${config.worker.concurrency} jobs at a time`])
  // What modules have to say is for whoever calls the API.
  if (running.serve) for (const module of core.registry.modules) lines.push(...((await module.welcome?.(core)) ?? []))
  const width = Math.max(...lines.map(([name]) => name.length))
  const body = lines.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`)
  return ['', `  Tenantry is ready (${process.uptime().toFixed(1)} s)`, '', ...body, ''].join('\n')
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
