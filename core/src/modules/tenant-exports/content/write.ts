import { PassThrough } from 'node:stream'
import type { Ctx, Tx, Written } from '#kernel'
import { openSpool, type Spool } from '../archive/spool.ts'
import { createZip, type Zip } from '../archive/zip.ts'
import type { Progress } from '../table.ts'
import { getTenantNow, listPeople, listRows, listUnreadable } from './content-queries.ts'
import { addFiles, putFilesAside } from './files.ts'
import {
  type EntryOfLines,
  FORMAT,
  MANIFEST,
  type Manifest,
  PEOPLE,
  SEAL,
  type TableEntry,
  tableEntry,
} from './manifest.ts'
import { readLines } from './rows.ts'
import { sealOf } from './seal.ts'
import { type ExportedTable, type Selection, selectTables } from './tables.ts'

/**
 * Writes everything that the tenant of the context has into one file of the storage, in constant memory. Tables are read in one
 * snapshot, so that they fit together; files, which never change, after it has ended, so that it lasts no longer than the
 * database takes. `progress` says at any time how far it has come. No transaction may be open.
 */
export async function writeExport(ctx: Ctx, key: string, progress: Progress): Promise<Written> {
  const sent = new PassThrough({ highWaterMark: 256 * 1024 })
  // Told to both who fill and who read it; without a listener it would end the process.
  sent.on('error', () => {})
  const written = ctx.storage.write(key, sent, { contentType: 'application/zip' })
  const filled = fill(ctx, sent, progress).then(
    () => sent.end(),
    (error) => sent.destroy(error),
  )
  // Whoever fills it learns that nobody takes it any more.
  written.catch((error) => sent.destroy(error))
  await Promise.allSettled([written, filled])
  return written
}

async function fill(ctx: Ctx, sent: PassThrough, progress: Progress): Promise<void> {
  const send = (bytes: Uint8Array) =>
    new Promise<void>((resolve, reject) => sent.write(bytes, (error) => (error ? reject(error) : resolve())))
  const spools: Spool[] = []
  const aside = async () => {
    const spool = await openSpool()
    spools.push(spool)
    return spool
  }
  const zip = await createZip(send, ctx.clock.ms())
  try {
    await addEverything(ctx, { zip, listed: await aside(), lines: await aside(), progress })
    await zip.finish()
  } finally {
    await Promise.all([zip.close(), ...spools.map((spool) => spool.close())])
  }
}

interface Writing {
  zip: Zip
  listed: Spool
  lines: Spool
  progress: Progress
}

async function addEverything(ctx: Ctx, { zip, listed, lines, progress }: Writing): Promise<void> {
  const selection = await selectTables(ctx)
  const exported_at = ctx.clock.now()
  const found = await ctx.snapshot(async ({ tx, tenantId }) => {
    const content = await addRows(tx, tenantId, { zip, selection, progress })
    progress.files_total = await putFilesAside(tx, tenantId, listed)
    return { tenant: await getTenantNow(tx, tenantId), ...content }
  })
  const done = () => progress.files_done++
  const files = await addFiles(ctx, { zip, listed, lines, done })
  const manifest: Manifest = {
    format: 'tenantry.tenant-export',
    format_version: FORMAT,
    product_version: ctx.product.version,
    exported_at,
    ...found,
    files,
  }
  const text = Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`)
  await zip.add(MANIFEST, inOnePiece(text), { isCompressed: true })
  await zip.add(SEAL, inOnePiece(Buffer.from(`${sealOf(ctx, String(text))}\n`)), { isCompressed: false })
}

interface Adding {
  zip: Zip
  selection: Selection
  progress: Progress
}

/** Adds the rows of all tables, and the people that they refer to. */
async function addRows(tx: Tx, tenantId: string, { zip, selection, progress }: Adding) {
  const unreadable = await listUnreadable(tx, selection.tables)
  const tables = selection.tables.filter(({ name }) => !unreadable.includes(name))
  const left_out = [...selection.leftOut, ...unreadable.map((name) => ({ name, reason: 'requests may not read it' }))]
  progress.tables_total = tables.length
  const entries: TableEntry[] = []
  for (const table of tables) {
    const read = readLines((page) => listRows(tx, table, tenantId, page), counting(progress))
    entries.push({ ...describe(table), ...(await addLines(zip, tableEntry(table.name), read)) })
    progress.tables_done++
  }
  const from = tables.flatMap(({ name, tenant_key, people }) =>
    people.map((column) => ({ table: name, tenant_key, column })),
  )
  const people = await addLines(
    zip,
    PEOPLE,
    readLines((page) => listPeople(tx, from, tenantId, page)),
  )
  return { tables: entries, left_out, people }
}

const describe = ({ name, module, version, columns, without }: ExportedTable) => ({
  name,
  module,
  schema_version: version,
  columns: columns.map(({ name, type }) => ({ name, type })),
  without,
})

const counting = (progress: Progress) => (rows: number) => {
  progress.rows_done += rows
}

async function addLines(zip: Zip, entry: string, lines: AsyncIterable<Buffer>): Promise<EntryOfLines> {
  let rows = 0
  async function* counted() {
    for await (const part of lines) {
      for (const byte of part) if (byte === LINE_END) rows++
      yield part
    }
  }
  const written = await zip.add(entry, counted(), { isCompressed: true })
  return { entry, rows, ...written }
}

const LINE_END = 0x0a

async function* inOnePiece(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
