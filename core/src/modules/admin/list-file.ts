import { Readable } from 'node:stream'
import {
  Answer,
  Closed,
  type Ctx,
  csvLine,
  OPERATOR_ROLES,
  type PageOf,
  type PartialOperatorRole,
  type StreamBody,
  type TObject,
  type TSchema,
  Type,
} from '#kernel'

const CSV = 'text/csv; charset=utf-8; header=present'
const JSON_LIST = 'application/json; charset=utf-8'
const BATCH = 500
const system = { role: 'system', tenantId: null } as const // words are types

/** What a list declares that also comes as a file. */
export const asFile = <T extends TSchema>(page: T) =>
  ({
    transaction: 'manual',
    headers: Closed({
      accept: Type.Optional(Type.String({ description: '`text/csv` for a file', examples: ['text/csv'] })),
    }),
    produces: {
      [JSON_LIST]: page,
      [CSV]: Type.String({
        description:
          'RFC 4180, with a first line of names, every text in quotes, objects as JSON; no cell is a formula',
        examples: ['"id","name","slug"\r\n'],
      }),
    },
  }) as const // words are types

/** A list of the installation, for whom it comes as JSON and for whom as a file. */
export interface Filed<Item> {
  /** In the name of the file. */
  name: string
  /** One page, for `ctx.list`. */
  page(ctx: Ctx): Promise<PageOf<Item>>
  /** The file. Opens transactions of its own. */
  write(ctx: Ctx): AsyncIterable<Buffer>
  /** Records that the file leaves. */
  record(ctx: Ctx): Promise<void>
}

/** Where the file of a list comes from. */
interface Rows<Row, Item> {
  /** What each line has, in this order. */
  item: TObject
  /** Rows in the order of the list, after the last one given (null: from the start). */
  rowsAfter(ctx: Ctx, last: Row | null, limit: number): Promise<Row[]>
  present(ctx: Ctx, row: Row): Item
}

/** A list whose file is written row by row. */
export const byRows = <Row, Item extends object>(list: Omit<Filed<Item>, 'write'> & Rows<Row, Item>): Filed<Item> => ({
  ...list,
  write: (ctx) => write(ctx, list),
})

/** The page asked for, or all that match as one file, for whoever accepts that first. Opens its own transactions, of the system role. */
export async function answerList<Item>(
  ctx: Ctx,
  { accept }: { accept?: string | undefined },
  list: Filed<Item>,
): Promise<Answer<StreamBody>> {
  if (wantsCsv(accept)) return fileOf(ctx, list)
  const page = await ctx.transaction((ctx) => list.page(ctx), { ...system, readOnly: true })
  return new Answer(200, JSON.stringify(page) as never, { 'content-type': JSON_LIST, vary: 'accept' }) // sent as it is
}

/** Read as fast as the client takes it; recorded once it is sent. */
function fileOf<Item>(ctx: Ctx, list: Filed<Item>): Answer<StreamBody> {
  const open = async () => {
    await ctx.transaction((ctx) => list.record(ctx), system)
    return Readable.from(whileAllowed(ctx, list.write(ctx)), { objectMode: false, highWaterMark: 1 })
  }
  const name = `${list.name}-${ctx.clock.now().slice(0, 'YYYY-MM-DD'.length)}.csv`
  return new Answer(200, open, {
    'content-type': CSV,
    'content-disposition': `attachment; filename="${name}"`,
    vary: 'accept',
  })
}

/**
 * Breaks off where the operator is one no more, or has lost a role since it began: whoever takes little at a time would read on
 * for hours.
 */
async function* whileAllowed(ctx: Ctx, pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const roles = OPERATOR_ROLES.filter((role): role is PartialOperatorRole => role !== 'all' && isOperator(ctx, role))
  for await (const piece of pieces) {
    yield piece
    const asker = await ctx.proveAgain()
    for (const role of roles) asker.requireOperator(role)
  }
}

function isOperator(ctx: Ctx, role: PartialOperatorRole): boolean {
  try {
    ctx.requireOperator(role)
    return true
  } catch {
    return false
  }
}

async function* write<Row, Item extends object>(ctx: Ctx, list: Rows<Row, Item>): AsyncGenerator<Buffer> {
  const columns = Object.keys(list.item.properties)
  yield Buffer.from(csvLine(columns))
  for (let last: Row | null = null; ; ) {
    const after: Row | null = last
    const rows: Row[] = await ctx.transaction((ctx) => list.rowsAfter(ctx, after, BATCH), { ...system, readOnly: true })
    const lines = rows.map((row) => {
      const item = list.present(ctx, row) as Record<string, unknown> // an object
      return csvLine(columns.map((name) => item[name]))
    })
    if (lines.length > 0) yield Buffer.from(lines.join(''))
    last = rows.at(-1) ?? null
    if (last === null || rows.length < BATCH) return
  }
}

/** Whether a client would rather have a file than JSON: it says so, and not of everything. */
const wantsCsv = (accept = ''): boolean => {
  const [type, ...parameters] = (accept.split(',')[0] ?? '').split(';').map((part) => part.trim().toLowerCase())
  // A weight of nothing is no wish.
  return type === 'text/csv' && !parameters.some((each) => /^q\s*=\s*0(?:\.0*)?$/.test(each))
}
