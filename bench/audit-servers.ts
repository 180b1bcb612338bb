import type { ChildProcess } from 'node:child_process'
import { addHistory, environmentOf, type History, prepareDatabase, sealHistory } from './audit-history.ts'
import { launch } from './child.ts'

const PASSWORD = 'a bench needs a long passphrase'

/** A server of one history, with a person of its tenant who is signed in. */
export interface Side {
  history: History
  base: string
  token: string
  child: ChildProcess
}

/** How a side is opened. */
export interface SideOptions {
  serverUrl: string
  count: number
  dataDir: string
}

/** Starts a server on a history of so many records, which is made when it is not there. */
export async function openSide({ serverUrl, count, dataDir }: SideOptions): Promise<Side> {
  const history = await prepareDatabase(serverUrl, `tenantry_bench_${count}`, count)
  const { base, child } = await launchServer(history, dataDir)
  const { token, tenantId } = await signIn(base)
  process.stdout.write(`${count} records: filling, ...\n`)
  await addHistory(history, tenantId)
  const { sealed, ms } = await sealHistory(history, tenantId)
  process.stdout.write(`... sealed ${sealed} in ${(ms / 1_000).toFixed(1)} s\n`)
  return { history, base, token, child }
}

/** A server in a process of its own. */
export async function launchServer(history: History, dataDir: string) {
  const { child, port } = await launch('core.ts', { ...environmentOf(history), DATA_DIR: dataDir })
  return { base: `http://127.0.0.1:${port}`, child }
}

/** Registers on a new database, signs in on one that was kept. */
async function signIn(base: string): Promise<{ token: string; tenantId: string }> {
  const person = { email: 'ada@bench.example', password: PASSWORD }
  const post = async (path: string, body: object) =>
    fetch(`${base}/api/v1/auth/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  let answer = await post('login', person)
  if (!answer.ok) answer = await post('register', { ...person, name: 'Ada', tenant_name: 'Bench' })
  const { access_token, tenant } = (await answer.json()) as { access_token: string; tenant: { id: string } } // api.md
  return { token: access_token, tenantId: tenant.id }
}
