import { createHash, type Hash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { Busboy, type BusboyHeaders, type BusboyInstance } from '@fastify/busboy'
import { AppError, type FieldProblem, invalidRequest } from '../errors.ts'
import { endedEarly } from './body-stream.ts'
import { child } from './explain.ts'
import type { FormFields } from './form-body.ts'
import { bytesOfLastPart } from './multipart-size.ts'

export const MULTIPART_TYPE = 'multipart/form-data'

const KiB = 1024
const MOST_PARTS = 50
/** All fields of a form together. */
const MOST_FIELD_BYTES = 64 * KiB
const MOST_HEADER_BYTES = 8 * KiB
/** Around the file: fields and boundaries, and what some programs write before the first or behind the last. */
const MOST_AROUND = 1024 * KiB
const MOST_CHUNKS = 64

/** The file of a form, as it arrives. */
export interface FormFile {
  /** As the client says it, with whatever path; null: it says none. */
  readonly filename: string | null
  readonly contentType: string | null
  /** Fields that stood before it: texts, unchecked. */
  readonly early: Readonly<Record<string, string>>
  /** Its size in bytes where no field follows it, else a little more; null where the client did not announce the length of the body. */
  readonly expected: number | null
  /** Its bytes, with backpressure, to be read to the end. Throws 400 when the client ends early. */
  readonly content: AsyncIterable<Buffer>
}

/** A form of `multipart/form-data` with one file, `file`, and other fields around it. */
export interface FormUpload<F> {
  /** Resolves when the file begins. Throws 400 when there is none. */
  file(): Promise<FormFile>
  /** The other fields, checked, once all has arrived: after the content of the file was read. Throws 400. */
  fields(): Promise<F>
}

/** What a form says, in a few bytes: equal for equal forms. */
export interface FormDigest {
  sha256: string
  /** Of the file. */
  bytes: number
}

/** Converts the fields of a form, and says what is wrong with them. */
export type ReadFields = (fields: FormFields) => { value: unknown; problems: FieldProblem[] }

const WITHOUT_FILE = 'is required: one file'

export class MultipartForm implements FormUpload<unknown> {
  readonly #raw: IncomingMessage
  readonly #read: ReadFields
  readonly #given: FormFields = new Map()
  readonly #file = Promise.withResolvers<FormFile>()
  readonly #end = Promise.withResolvers<void>()
  #parser: BusboyInstance | null = null
  #content: Readable | null = null
  #hash: Hash | null = null
  #fieldBytes = 0
  #parts = 0
  /** What has arrived before the file, and after it. */
  #around = 0
  /** What has arrived up to the file: where in it the file begins says how large it is. */
  #before: Buffer[] | null = []
  #bytes = 0
  #state: 'new' | 'begun' | 'whole' | AppError = 'new'

  constructor(raw: IncomingMessage, read: ReadFields) {
    this.#raw = raw
    this.#read = read
    // Whoever waits for them hears of a failure; nobody has to.
    this.#file.promise.catch(() => {})
    this.#end.promise.catch(() => {})
  }

  file(): Promise<FormFile> {
    if (this.#state === 'new') this.#begin()
    return this.#file.promise
  }

  async fields(): Promise<unknown> {
    await this.#end.promise
    const { value, problems } = this.#read(this.#given)
    if (problems.length > 0) throw invalidRequest({ errors: problems })
    return value
  }

  /** Asks for a digest of all that is read from here on. */
  digestOnRead(): void {
    this.#hash = createHash('sha256')
  }

  /** The digest of a form that was read to its end; else null. */
  digest(): FormDigest | null {
    if (!this.#hash || this.#state !== 'whole') return null
    const fields = JSON.stringify([...this.#given].sort())
    return { sha256: this.#hash.copy().update(fields).digest('hex'), bytes: this.#bytes }
  }

  /** Reads all of it for its digest alone; null when its file has more bytes than `most`. */
  async readForDigest(most: number): Promise<FormDigest | null> {
    this.digestOnRead()
    for await (const _ of (await this.file()).content) if (this.#bytes > most) return null
    await this.#end.promise
    return this.digest()
  }

  #begin(): void {
    this.#state = 'begun'
    try {
      this.#parser = this.#createParser()
    } catch (error) {
      this.#stop(invalidRequest({ detail: 'The content type names no boundary of the form', cause: error }))
    }
    this.#raw
      .on('data', this.#pass)
      .once('end', () => this.#isOpen && this.#parser?.end())
      .once('error', (error) => this.#stop(endedEarly(error)))
      .once('close', () => this.#raw.complete || this.#stop(endedEarly()))
  }

  #createParser(): BusboyInstance {
    const parser = new Busboy({
      headers: this.#raw.headers as BusboyHeaders, // the route takes this content type alone
      preservePath: true,
      limits: { fieldSize: MOST_FIELD_BYTES, parts: MOST_PARTS, headerPairs: 20, headerSize: MOST_HEADER_BYTES },
    })
    return parser
      .on('drain', () => this.#isOpen && this.#raw.resume())
      .on('error', (error: unknown) => this.#stop(endless(error)))
      .on('file', (name, stream, filename, _encoding, type) => this.#take(name, stream, { filename, type }))
      .on('field', (name, value, isNameCut, isValueCut) => this.#note(name, value, isNameCut || isValueCut))
      .on('partsLimit', () => this.#stop(invalidRequest({ detail: `A form may have ${MOST_PARTS} parts` })))
      .on('finish', () => this.#finish())
  }

  get #isOpen(): boolean {
    return this.#state === 'begun'
  }

  #pass = (chunk: Buffer): void => {
    if (this.#before) this.#before = joined(this.#before, chunk)
    const isBehind = this.#content?.readableEnded
    if (!this.#parser?.write(chunk)) this.#raw.pause()
    this.#around += isBehind || !this.#content ? chunk.length : 0
    if (this.#around > MOST_AROUND) this.#stop(invalidRequest({ detail: 'Too much stands around the file' }))
  }

  /** The parser gives no name where the form has none. */
  #take(name = '', stream: Readable, { filename, type }: { filename?: string; type?: string }): void {
    stream.on('error', () => {}) // whoever reads is told
    if (name !== 'file') this.#stop(wrong(name, 'is no file of this form: that is called file'))
    else if (this.#content) this.#stop(wrong('file', 'is a second file: send each by a request of its own'))
    else this.#give(stream, { filename, type })
  }

  #give(stream: Readable, { filename, type }: { filename?: string; type?: string }): void {
    this.#content = stream
    this.#hash?.update(JSON.stringify([filename, type]))
    const expected = bytesOfLastPart(this.#raw, Buffer.concat(this.#before ?? []), this.#parts)
    this.#before = null
    this.#file.resolve({
      filename: filename ?? null,
      contentType: type ?? null,
      early: Object.fromEntries([...this.#given].map(([field, values]) => [field, values[0] ?? ''])),
      expected,
      content: this.#contentOf(stream),
    })
  }

  async *#contentOf(stream: Readable): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of stream) {
        this.#hash?.update(chunk)
        this.#bytes += chunk.length
        yield chunk
      }
    } catch (error) {
      // The parser tells the file of its end before it tells the form.
      throw error instanceof AppError ? error : endless(error)
    }
  }

  #note(name = '', value: string, isCut: boolean): void {
    this.#parts++
    this.#fieldBytes += name.length + value.length
    if (isCut || this.#fieldBytes > MOST_FIELD_BYTES)
      this.#stop(wrong(name, `is too long: all fields of a form have ${MOST_FIELD_BYTES / KiB} KiB`))
    else if (name === 'file') this.#stop(wrong(name, 'must be a file: it came without a filename'))
    else this.#given.set(name, [...(this.#given.get(name) ?? []), value])
  }

  #finish(): void {
    if (!this.#isOpen) return
    if (this.#content) {
      this.#state = 'whole'
      this.#end.resolve()
    } else {
      const { problems } = this.#read(this.#given)
      this.#stop(invalidRequest({ errors: [{ pointer: '#/file', detail: WITHOUT_FILE }, ...problems] }))
    }
  }

  /** Nothing more is read; whoever waits for something gets the error. */
  #stop(error: AppError): void {
    if (!this.#isOpen) return
    this.#state = error
    this.#raw.off('data', this.#pass).pause()
    this.#file.reject(error)
    this.#end.reject(error)
    this.#content?.destroy(error)
  }
}

/** A chunk costs memory of its own, however small it is: of many, one is made. */
const joined = (chunks: Buffer[], chunk: Buffer): Buffer[] =>
  chunks.length < MOST_CHUNKS ? [...chunks, chunk] : [Buffer.concat([...chunks, chunk])]

const endless = (cause: unknown): AppError => invalidRequest({ detail: 'The form has no end', cause })

function wrong(name: string, detail: string): AppError {
  const shown = name.slice(0, 100).toWellFormed().replaceAll('\0', '')
  return invalidRequest({ errors: [{ pointer: child('#', shown), detail }] })
}
