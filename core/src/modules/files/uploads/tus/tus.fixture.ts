import { createHash, randomBytes } from 'node:crypto'
import { type ClientRequest, request } from 'node:http'
import type { Answered, TestCore, TestPerson } from '../../../../testing/index.ts'

export const TUS = { 'tus-resumable': '1.0.0' }
const TYPE = 'application/offset+octet-stream'

export const sha256 = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex')

/** Text of so many bytes that was never there before. */
export const letters = (bytes: number): Buffer =>
  Buffer.from(randomBytes(Math.ceil(bytes * 0.75)).toString('base64')).subarray(0, bytes)

export const metadataOf = (fields: Readonly<Record<string, string>>): string =>
  Object.entries(fields)
    .map(([name, value]) => `${name} ${Buffer.from(value).toString('base64')}`)
    .join()

type Headers = Record<string, string>

/** Begins an upload; `length` and `filename` unless they are given. */
export function begin(
  who: TestPerson,
  length: number | string,
  fields: Readonly<Record<string, string>> = {},
  headers: Headers = {},
): Promise<Answered> {
  const metadata = metadataOf({ filename: 'note.txt', ...fields })
  const all = { ...TUS, 'upload-length': String(length), 'upload-metadata': metadata, ...headers }
  return who.request('POST', '/files/tus', { headers: all })
}

export const idOf = ({ headers }: Answered): string => String(headers.location).split('/').at(-1) ?? ''

export async function begun(who: TestPerson, length: number, fields = {}, headers: Headers = {}): Promise<string> {
  const answer = await begin(who, length, fields, headers)
  if (answer.status !== 201) throw new Error(`An upload could not begin: ${answer.status} ${answer.text}`)
  return idOf(answer)
}

export const send = (who: TestPerson, id: string, offset: number, payload: Buffer | string, headers: Headers = {}) =>
  who.request('PATCH', `/files/tus/${id}`, {
    payload,
    headers: { ...TUS, 'content-type': TYPE, 'upload-offset': String(offset), ...headers },
  })

export const look = (who: TestPerson, id: string) => who.request('GET', `/files/tus/${id}`, { headers: TUS })
export const offsetOf = async (who: TestPerson, id: string) => Number((await look(who, id)).headers['upload-offset'])

/** Whether some request is the one that writes. */
export const isBeingSent = async ({ core }: Pick<TestCore, 'core'>, id: string): Promise<boolean> =>
  (await core.db.systemQuery('select 1 from file_uploads where id = $1 and writer is not null', [id])).length === 1

export interface Place {
  port: number
  who: TestPerson
}

/** A PATCH that is sent bit by bit, and its answer; status 0: there was none. */
export interface SlowPatch {
  request: ClientRequest
  write(bytes: Buffer): Promise<void>
  answer: Promise<{ status: number; code: string | undefined; headers: Record<string, unknown> }>
}

/** `length` null: none is announced. */
export async function patchSlowly(
  { port, who }: Place,
  { id, offset, length }: { id: string; offset: number; length: number | null },
): Promise<SlowPatch> {
  const sent = request({
    port,
    host: '127.0.0.1',
    method: 'PATCH',
    path: `/api/v1/files/tus/${id}`,
    agent: false,
    headers: {
      ...TUS,
      authorization: `Bearer ${await who.token()}`,
      'content-type': TYPE,
      'upload-offset': offset,
      ...(length === null ? {} : { 'content-length': length }),
    },
  })
  sent.flushHeaders()
  return {
    request: sent,
    write: (bytes) => new Promise((resolve) => sent.write(bytes, () => resolve())),
    answer: answerTo(sent),
  }
}

function answerTo(sent: ClientRequest): SlowPatch['answer'] {
  return new Promise((resolve) => {
    const none = () => resolve({ status: 0, code: undefined, headers: {} })
    sent.on('error', none).on('response', async (response) => {
      const chunks: Buffer[] = []
      try {
        for await (const chunk of response) chunks.push(chunk)
      } catch {
        return none()
      }
      const text = Buffer.concat(chunks).toString()
      const code: string | undefined = text === '' ? undefined : JSON.parse(text).code
      resolve({ status: response.statusCode ?? 0, code, headers: response.headers })
    })
  })
}

/** A PATCH at once. */
export async function patch(place: Place, id: string, offset: number, bytes: Buffer) {
  const { request, answer } = await patchSlowly(place, { id, offset, length: bytes.length })
  request.end(bytes)
  return answer
}
