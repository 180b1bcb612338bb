import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { test } from 'node:test'
import type { Core } from '../kernel/core.ts'
import { sha256 } from '../kernel/hash.ts'
import { assertReady } from './ready.ts'

const folder = new URL('../kernel/migrations/', import.meta.url)

test('a schema that is not current is counted in words', async () => {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort()
  const kept = await Promise.all(
    names.map(async (name) => ({
      module: 'kernel',
      name,
      checksum: sha256(await readFile(new URL(name, folder), 'utf8')).toString('hex'),
    })),
  )
  /** On a database that lacks the last so many migrations of the kernel. */
  const lacking = (count: number) => {
    const query = async () => ({ rows: kept.slice(0, kept.length - count) })
    return assertReady({
      db: { systemPool: { query } },
      registry: { modules: [] },
      product: { command: 'shop' },
    } as unknown as Core) // what it looks at
  }
  const last = names.at(-1)
  await lacking(0)
  await assert.rejects(lacking(1), {
    message: `The schema lacks 1 migration (kernel/${last}): run "shop migrate" first.`,
  })
  await assert.rejects(lacking(2), { message: /^The schema lacks 2 migrations \(kernel\/\S+ …\): run/ })
})
