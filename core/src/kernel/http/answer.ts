import type { Cookie } from './cookies.ts'

/** An answer whose status, headers or cookies differ from what a plain return value gets. */
export class Answer<T> {
  readonly status: number
  readonly body: T
  readonly headers: Record<string, string>
  /** Cookies to set or delete. Such an answer is never cached, nor kept for an `Idempotency-Key`. */
  readonly cookies: readonly Cookie[]

  constructor(status: number, body: T, headers: Record<string, string> = {}, cookies: readonly Cookie[] = []) {
    this.status = status
    this.body = body
    this.headers = headers
    this.cookies = cookies
  }
}
