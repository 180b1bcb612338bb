import type { FastifyInstance } from 'fastify'
import type { Core } from '../kernel/core.ts'
import { createAnswerCheck } from './answers.ts'
import { encodeForm, type SentForm } from './form.ts'

export interface RequestOptions {
  /** Sent as `Authorization: Bearer`. */
  token?: string | null
  body?: unknown
  headers?: Record<string, string>
  /** A raw body instead of JSON. */
  payload?: string | Buffer
  /** A form with a file in place of all that. */
  form?: SentForm
}

/** An answer, its body read as JSON where it is. */
export interface Answered {
  status: number
  headers: Record<string, string | number | string[] | undefined>
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape, and fail when it differs
  body: any
  text: string
  /** The body as it came. */
  bytes: Buffer
}

// Not lines of JSON, which are many documents.
const IS_JSON = /\/(?:[\w.-]+\+)?json(?:;|$)/

/** Sends requests to an app in this process, and holds every answer against the API document. */
export function createRequester(core: Core, app: FastifyInstance) {
  const check = createAnswerCheck(core)
  return async (method: string, url: string, options: RequestOptions = {}): Promise<Answered> => {
    const headers: Record<string, string> = { ...options.headers }
    if (options.token) headers.authorization = `Bearer ${options.token}`
    const hasBody = options.body !== undefined
    const form = options.form && encodeForm(options.form)
    if (form) headers['content-type'] ??= form.type
    const payload = form?.payload ?? options.payload
    if (hasBody) headers['content-type'] ??= 'application/json'
    const send = () =>
      app.inject({
        // The test names the method; inject wants its own list of words.
        method: method as 'GET',
        url,
        headers,
        ...(hasBody ? { payload: JSON.stringify(options.body) } : payload === undefined ? {} : { payload }),
      })
    // It comes from outside, wherever the test stands.
    const response = await core.db.aside(send)
    const type = String(response.headers['content-type'] ?? '')
    const answer: Answered = {
      status: response.statusCode,
      headers: response.headers,
      body: IS_JSON.test(type) && response.body !== '' ? JSON.parse(response.body) : response.body,
      text: response.body,
      bytes: response.rawPayload,
    }
    check({ method, url }, answer)
    return answer
  }
}
