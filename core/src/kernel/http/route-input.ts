import type { Static, TSchema } from 'typebox'
import type { BodyStream } from './body-stream.ts'
import type { FormUpload } from './multipart.ts'

export type { BodyStream } from './body-stream.ts'
export type { FormFile, FormUpload } from './multipart.ts'

/** How a body with a schema may be written: as JSON, or as `application/x-www-form-urlencoded`. */
export type BodyForm = 'json' | 'form'

/** The content types of a body that is taken as it is; `true`: any, and none. */
export type RawTypes = true | readonly string[]

/** What stands around a body, as it was sent. */
export interface Envelope {
  /** By their names in lower case; several of one name are joined by commas. */
  readonly headers: Readonly<Record<string, string>>
  /** Path and query as they were called. */
  readonly url: string
}

/** The input of a handler. Headers, cookies, raw bytes, streams and forms with a file are set only if the route declares them. */
export type RouteInput<P, Q, B, H = undefined, C = undefined, W = undefined, S = undefined, F = undefined> = {
  params: P
  query: Q
  body: B
} & (H extends TSchema ? { headers: Static<H> } : unknown) &
  (C extends TSchema ? { cookies: Static<C> } : unknown) &
  (W extends RawTypes ? { raw: Buffer } : unknown) &
  (S extends RawTypes ? { stream: BodyStream } : unknown) &
  (F extends TSchema ? { form: FormUpload<Static<F>> } : unknown)
