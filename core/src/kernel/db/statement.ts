import type { Socket } from 'node:net'
import pg from 'pg'

/** The parts of pg's connection that its Query uses and its types omit. */
export interface Connection {
  stream: Socket
  bind(config: { statement: string; values: unknown[] }): void
  execute(config: object): void
  sync(): void
}

/** How to read the rows of a prepared statement, from its RowDescription. */
interface Shape {
  fields: unknown
  _parsers: unknown
  _prebuiltEmptyResultObject: unknown
}

interface QueryInternals {
  name: string | undefined
  text: string
  values: unknown[] | undefined
  queryMode: string | undefined
  callback: (error: Error | null, result: pg.QueryResult) => void
  _result: Shape
  _accumulateRows: boolean
  prepare(connection: Connection): void
  handleRowDescription(message: unknown): void
  handleDataRow(message: unknown): void
  handleCommandComplete(message: unknown, connection: Connection): void
}

// pg types Query for its users; what is overridden here is its protocol with the connection.
const Query = pg.Query as unknown as new (text: string) => QueryInternals & pg.Submittable
// pg's own conversion of values, which its types omit.
const { prepareValue } = (pg as unknown as { utils: { prepareValue: (value: unknown) => unknown } }).utils

/**
 * A statement of the extended protocol. The description of a prepared statement's rows is requested once per connection
 * and cached: describing them again costs more than reading a few rows.
 */
export class Statement extends Query {
  #shapes: Map<string, Shape> | undefined

  constructor({ text, name, values }: pg.QueryConfig) {
    super(text)
    this.name = name
    // Before anything is sent: a value that cannot be sent must not leave half a statement on the connection, whose
    // tenant the next one would run in.
    this.values = (values ?? []).map((value) => prepareValue(value))
    this.queryMode = 'extended'
  }

  override prepare(connection: Connection): void {
    const { name } = this
    const shapes = shapesOf(connection)
    const shape = name === undefined ? undefined : shapes.get(name)
    if (!shape || name === undefined) {
      this.#shapes = shapes
      super.prepare(connection)
      return
    }
    Object.assign(this._result, shape)
    this._accumulateRows = true
    connection.bind({ statement: name, values: this.values ?? [] })
    connection.execute({})
    connection.sync()
  }

  override handleRowDescription(message: unknown): void {
    super.handleRowDescription(message)
    if (this.name === undefined) return
    const { fields, _parsers, _prebuiltEmptyResultObject } = this._result
    this.#shapes?.set(this.name, { fields, _parsers, _prebuiltEmptyResultObject })
  }

  /**
   * Sends the statement; what was sent in the same turn of the event loop goes out with it. Throws at once when it cannot
   * be sent, so that whoever does not wait for its result knows that it went out.
   */
  send(client: pg.ClientBase): Promise<pg.QueryResult> {
    const { promise, resolve, reject } = Promise.withResolvers<pg.QueryResult>()
    let refusal: Error | undefined
    this.callback = (error) => {
      refusal = error ?? undefined
    }
    client.query(this)
    if (refusal) throw refusal
    this.callback = (error, result) => (error ? reject(error) : resolve(result))
    return promise
  }
}

const known = new WeakMap<Connection, Map<string, Shape>>()

function shapesOf(connection: Connection): Map<string, Shape> {
  let shapes = known.get(connection)
  if (!shapes) {
    shapes = new Map()
    known.set(connection, shapes)
  }
  return shapes
}

/** Buffers everything sent in this turn of the event loop and writes it at once. */
export function corkUntilIdle(client: pg.ClientBase): void {
  // pg types its connection loosely; the stream is the socket that it writes to.
  const { stream } = (client as unknown as { connection: Connection }).connection
  if (stream.writableCorked > 0) return
  stream.cork()
  process.nextTick(() => stream.uncork())
}
