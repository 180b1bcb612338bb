import assert from 'node:assert/strict'
import { buffer } from 'node:stream/consumers'
import yauzl from 'yauzl'
import type { Answered, TestCore, TestPerson, TestTenant } from '../../testing/index.ts'
import { type FileLine, MANIFEST, type Manifest } from './content/manifest.ts'

export const PATH = '/tenants/current/export'

/** What a ZIP file has, read by other code than ours: the content by its name, in its order. */
export async function readZip(bytes: Buffer): Promise<Map<string, Buffer>> {
  const zip = await new Promise<yauzl.ZipFile>((resolve, reject) =>
    yauzl.fromBuffer(bytes, { lazyEntries: true, strictFileNames: true }, (error, zip) =>
      error ? reject(error) : resolve(zip),
    ),
  )
  const entries = new Map<string, Buffer>()
  return new Promise((resolve, reject) => {
    zip.on('error', reject)
    zip.on('end', () => resolve(entries))
    zip.on('entry', (entry: yauzl.Entry) =>
      zip.openReadStream(entry, (error, content) => {
        if (error) return reject(error)
        buffer(content).then((read) => {
          assert.ok(!entries.has(entry.fileName), `${entry.fileName} is there twice`)
          entries.set(entry.fileName, read)
          zip.readEntry()
        }, reject)
      }),
    )
    zip.readEntry()
  })
}

/** Lines of JSON. */
// biome-ignore lint/suspicious/noExplicitAny: rows of any shape
export const linesIn = (text: Buffer | undefined): any[] =>
  String(text ?? '')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))

/** What an export says and has. */
export interface Exported {
  zip: Buffer
  entries: Map<string, Buffer>
  manifest: Manifest
  files: FileLine[]
  /** The rows of a table. */
  // biome-ignore lint/suspicious/noExplicitAny: rows of any shape
  rows(table: string): any[]
}

export async function read(zip: Buffer): Promise<Exported> {
  const entries = await readZip(zip)
  const manifest = JSON.parse(String(entries.get(MANIFEST))) as Manifest // what a test is about
  return {
    zip,
    entries,
    manifest,
    files: linesIn(entries.get('files.ndjson')),
    rows: (table) => linesIn(entries.get(`tables/${table}.ndjson`)),
  }
}

type Owned = Pick<TestTenant, 'id'> & { owner: Pick<TestPerson, 'post' | 'get'> }

/** Has a tenant exported, and downloads it. */
export async function exportTenant(t: TestCore, { id, owner }: Owned): Promise<Exported> {
  const asked = await owner.post(PATH)
  assert.equal(asked.status, 202, asked.text)
  await t.drainJobs(id)
  const { status, url } = (await owner.get(PATH)).body
  assert.equal(status, 'done')
  const answer = await download(t, url)
  assert.equal(answer.status, 200, answer.text)
  return read(answer.bytes)
}

/** Follows a link. */
export const download = (t: TestCore, url: string, headers: Record<string, string> = {}): Promise<Answered> =>
  t.request('GET', url.slice(url.indexOf('/api/')), { headers })
