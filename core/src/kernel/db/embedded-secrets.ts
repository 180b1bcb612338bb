import { randomBytes, randomInt } from 'node:crypto'
import { open, readFile, rename } from 'node:fs/promises'
import { createServer } from 'node:net'
import { errorCode } from '../system-errors.ts'

/** Values that an embedded cluster keeps between starts. */
export interface EmbeddedSecrets {
  /** The last port; another one is chosen when it is taken. */
  port: number
  passwords: { superuser: string; owner: string; app: string; system: string }
}

const PASSWORD_BYTES = 24
// Below the range for outgoing connections, so that the port tends to stay free.
const FIRST_PORT = 15_000
const LAST_PORT = 32_000

/** The secrets kept in the file, or undefined when there is none. Throws when the file holds something else. */
export async function findSecrets(file: string): Promise<EmbeddedSecrets | undefined> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return undefined
    throw error
  })
  if (text === undefined) return undefined
  const secrets = parseSecrets(text)
  if (!secrets)
    throw new Error(`${file} is damaged: it must hold the port and the passwords of the embedded PostgreSQL`)
  return secrets
}

/** New random passwords and a free port; nothing is written yet. */
export async function createSecrets(): Promise<EmbeddedSecrets> {
  const password = () => randomBytes(PASSWORD_BYTES).toString('base64url')
  return {
    port: await chooseFreePort(),
    passwords: { superuser: password(), owner: password(), app: password(), system: password() },
  }
}

/** Writes the file atomically, readable by its owner only, and flushed to disk. */
export async function saveSecrets(file: string, secrets: EmbeddedSecrets): Promise<void> {
  const draft = `${file}.new`
  const handle = await open(draft, 'w', 0o600)
  try {
    await handle.chmod(0o600)
    await handle.writeFile(`${JSON.stringify(secrets, null, 2)}\n`)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(draft, file)
}

/** A port of 127.0.0.1 on which nothing listens now. */
export async function chooseFreePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = randomInt(FIRST_PORT, LAST_PORT)
    if (await isFreePort(port)) return port
  }
  throw new Error(`No free port found on 127.0.0.1 between ${FIRST_PORT} and ${LAST_PORT}`)
}

/** Whether this port of 127.0.0.1 could be listened on just now. */
export function isFreePort(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => probe.close(() => resolve(true)))
  })
}

function parseSecrets(text: string): EmbeddedSecrets | undefined {
  try {
    const { port, passwords } = JSON.parse(text)
    const { superuser, owner, app, system } = passwords
    const complete = [superuser, owner, app, system].every((value) => typeof value === 'string' && value !== '')
    return complete && Number.isInteger(port) ? { port, passwords: { superuser, owner, app, system } } : undefined
  } catch {
    return undefined
  }
}
