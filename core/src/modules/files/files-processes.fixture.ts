import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:http'
import { fileURLToPath } from 'node:url'
import { encodeForm, type SentForm } from '../../testing/form.ts'
import type { TestCore, TestPerson } from '../../testing/index.ts'

const SCRIPT = fileURLToPath(new URL('./files-process.fixture.ts', import.meta.url))

export interface FileProcess {
  child: ChildProcess
  port: number
}

/** Another server on the test's database and files. `most`: the largest file that its system lets it write, in KiB. */
export async function startProcess(
  { database, dataDir }: TestCore,
  env: object = {},
  most?: number,
): Promise<FileProcess> {
  const { drop: _, ...urls } = database
  const args = [SCRIPT, JSON.stringify(urls), JSON.stringify({ DATA_DIR: dataDir, ...env })]
  const limited = most === undefined ? '' : `ulimit -f ${most} && `
  const child = spawn('sh', ['-c', `${limited}exec "$0" "$@"`, process.execPath, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [said] = await once(child.stdout!, 'data') // it is piped
  return { child, port: Number(String(said)) }
}

/** An upload that is sent bit by bit. */
export interface SlowUpload {
  send(bytes: Buffer): Promise<void>
  end(): void
  /** Ends the connection in the middle. */
  destroy(): void
  /** The status and body of the answer; status 0 when there was none. */
  // biome-ignore lint/suspicious/noExplicitAny: an answer of any shape
  answer: Promise<{ status: number; body: any }>
}

interface Slow {
  port: number
  who: TestPerson
  form: SentForm
  /** Without it no length is announced. */
  hasLength?: boolean
  headers?: Record<string, string>
}

/** The whole form, and a request that takes it in pieces. */
export async function beginSlowly({
  port,
  who,
  form,
  hasLength = true,
  headers = {},
}: Slow): Promise<SlowUpload & { payload: Buffer }> {
  const { payload, type } = encodeForm(form)
  const sent = request({
    port,
    host: '127.0.0.1',
    method: 'POST',
    path: '/api/v1/files',
    agent: false,
    headers: {
      authorization: `Bearer ${await who.token()}`,
      'content-type': type,
      ...(hasLength ? { 'content-length': payload.length } : {}),
      ...headers,
    },
  })
  const answer = new Promise<{ status: number; body: unknown }>((resolve) => {
    sent.on('error', () => resolve({ status: 0, body: null }))
    sent.on('response', async (response) => {
      const chunks: Buffer[] = []
      try {
        for await (const chunk of response) chunks.push(chunk)
        resolve({ status: response.statusCode ?? 0, body: JSON.parse(Buffer.concat(chunks).toString()) })
      } catch {
        resolve({ status: 0, body: null })
      }
    })
  })
  return {
    payload,
    answer,
    send: (bytes) => new Promise((resolve) => sent.write(bytes, () => resolve())),
    end: () => void sent.end(),
    destroy: () => void sent.destroy(),
  }
}

/** Sends a form at once. */
export async function sendForm(slow: Slow) {
  const { payload, send, end, answer } = await beginSlowly(slow)
  void send(payload)
  end()
  return answer
}
