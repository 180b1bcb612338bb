import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import { newId } from '#kernel'
import { createContext, noOrigin, systemActor } from '../../../kernel/create-context.ts'
import type { TestCore } from '../../../testing/index.ts'
import { createZip } from '../archive/zip.ts'
import { MANIFEST, type Manifest } from '../content/manifest.ts'
import { startExport } from '../operations.ts'
import { type Exported, read } from '../tenant-exports.fixture.ts'
import { type Abandoned, abandonImport } from './abandon.ts'
import { type Imported, importTenant } from './import-tenant.ts'
import type { ImportOptions } from './steps.ts'

const DEFAULTS = { slug: null, owner: null, plan: null, invitesAll: false, isDry: false }
const silent = { begins: () => {}, passed: () => {}, note: () => {} }

/** Reads a file into the installation of a test, as the command does. */
export function importInto(t: TestCore, path: string, options: Partial<ImportOptions> = {}): Promise<Imported> {
  const ctx = createContext(t.core, { tenant: null, storeId: null, actor: systemActor, origin: noOrigin })
  const stopping = new AbortController().signal
  return t.core.db.aside(() => importTenant(ctx, { path, ...DEFAULTS, stopping, progress: silent, ...options }))
}

/** Takes an import away, as the command does. */
export function abandon(t: TestCore, name: string): Promise<Abandoned> {
  const ctx = createContext(t.core, { tenant: null, storeId: null, actor: systemActor, origin: noOrigin })
  return t.core.db.aside(() => abandonImport(ctx, name))
}

/** Exports a tenant without anybody asking for it. */
export async function exportBySystem(t: TestCore, tenantId: string): Promise<Exported> {
  await t.core.run((ctx) => startExport(ctx), { tenantId })
  await t.drainJobs(tenantId)
  const [row] = await t.core.db.systemQuery<{ path: string }>(
    'select storage_path as path from tenant_exports where tenant_id = $1 and finished_at is not null order by id desc limit 1',
    [tenantId],
  )
  assert.ok(row)
  return read(await buffer(t.core.storage.read(row.path)))
}

/** An entry of a file that is made up: as it is, or compressed. */
export interface MadeUp {
  name: string
  content: Buffer | string
  isCompressed?: boolean
}

export async function zipOf(entries: Iterable<MadeUp>): Promise<Buffer> {
  const pieces: Buffer[] = []
  const zip = await createZip(async (bytes) => void pieces.push(Buffer.from(bytes)), Date.UTC(2026, 0))
  for (const { name, content, isCompressed = !name.startsWith('files/') } of entries)
    await zip.add(
      name,
      (async function* () {
        yield Buffer.from(content)
      })(),
      { isCompressed },
    )
  await zip.finish()
  await zip.close()
  return Buffer.concat(pieces)
}

/** What an export has, to be changed: its entries by name, and its manifest. */
export interface Bent {
  entries: Map<string, Buffer | string>
  manifest: Manifest
  /** Replaces an entry of lines, and says so in the manifest. */
  replace(entry: string, lines: readonly string[]): void
}

/** The file of an export that somebody has changed. */
export async function bent(exported: Exported, change: (bent: Bent) => void): Promise<Buffer> {
  const manifest = structuredClone(exported.manifest)
  const entries = new Map<string, Buffer | string>(exported.entries)
  const replace = (entry: string, lines: readonly string[]) => {
    const content = Buffer.from(lines.map((line) => `${line}\n`).join(''))
    entries.set(entry, content)
    for (const told of [...manifest.tables, manifest.people, manifest.files])
      if (told.entry === entry)
        Object.assign(told, {
          rows: lines.length,
          bytes: content.length,
          sha256: createHash('sha256').update(content).digest('hex'),
        })
  }
  change({ entries, manifest, replace })
  if (entries.get(MANIFEST) === exported.entries.get(MANIFEST)) entries.set(MANIFEST, JSON.stringify(manifest))
  return zipOf([...entries].map(([name, content]) => ({ name, content })))
}

/** The same as another tenant: under an id and a slug that nobody has. */
export function bentAnew(exported: Exported, change: (bent: Bent) => void): Promise<Buffer> {
  const { id: from } = exported.manifest.tenant
  const [id, slug] = [newId(), `t-${newId().slice(-12)}`]
  return bent(exported, (all) => {
    for (const [name, content] of all.entries)
      if (name.startsWith('tables/')) all.replace(name, linesOf(String(content).replaceAll(from, id)))
    Object.assign(all.manifest.tenant, { id, slug })
    change(all)
  })
}

const linesOf = (text: string) => text.split('\n').slice(0, -1)
