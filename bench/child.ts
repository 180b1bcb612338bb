import { type ChildProcess, fork } from 'node:child_process'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'

/** A server in a process of its own. */
export interface Server {
  child: ChildProcess
  port: number
}

/** Starts a server of this folder and waits until it listens. */
export async function launch(file: string, env: Record<string, string>): Promise<Server> {
  const child = fork(new URL(file, import.meta.url), {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const port = await new Promise<number>((resolve, reject) => {
    child.once('message', (told: { port: number }) => resolve(told.port))
    child.once('exit', (code) => reject(new Error(`${file} ended with ${code}`)))
  })
  return { child, port }
}

/** The CPU time that a server has used so far, in microseconds. */
export function cpuOf({ child }: Server): Promise<number> {
  return new Promise((resolve) => {
    child.once('message', (told: { cpu: number }) => resolve(told.cpu))
    child.send('cost')
  })
}

/** In such a process: listens where nobody else does, and tells when asked what CPU time it has used, in microseconds. */
export async function serve(app: FastifyInstance): Promise<void> {
  await app.listen({ host: '127.0.0.1', port: 0 })
  process.on('message', (message) => {
    if (message !== 'cost') return
    const { user, system } = process.cpuUsage()
    process.send?.({ cpu: user + system })
  })
  process.send?.({ port: (app.server.address() as AddressInfo).port }) // it listens on a port
}
