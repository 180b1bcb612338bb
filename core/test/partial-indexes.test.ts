import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createTestCore, type TestCore } from '../src/testing/index.ts'

const SRC = join(import.meta.dirname, '../src')

let test: TestCore
before(async () => {
  test = await createTestCore()
})
after(() => test?.close())

interface Predicate {
  table: string
  predicate: string
}

/** Columns of which a word decides what is in an index: `where status = 'pending'`. */
async function columnsOfPredicates(): Promise<{ table: string; column: string }[]> {
  const rows = await test.core.db.systemQuery<Predicate>(
    `select t.relname::text as table, pg_get_expr(i.indpred, i.indrelid) as predicate
     from pg_index i join pg_class t on t.oid = i.indrelid join pg_namespace n on n.oid = t.relnamespace
     where n.nspname = 'core' and not t.relispartition and i.indpred is not null`,
  )
  return rows.flatMap(({ table, predicate }) =>
    [...predicate.matchAll(/(\w+) (?:=|<>) (?:ANY \(ARRAY\[)?'/g)].map(([, column = '']) => ({ table, column })),
  )
}

const comparedByValue = (text: string, column: string): string[] => [
  ...(text.match(new RegExp(`\\.where\\('(?:\\w+\\.)?${column}', '(?:=|<>|!=|in)', (?!sql\\.lit)`, 'g')) ?? []),
  ...(text.match(new RegExp(`\\b${column} (?:=|<>|in) \\$\\{(?!sql\\.lit)`, 'g')) ?? []),
]

describe('what decides whether a row is in an index', () => {
  it('is written into the statements: of a parameter a prepared one does not know that the index will do', async () => {
    const columns = await columnsOfPredicates()
    assert.ok(columns.some(({ table, column }) => table === 'webhook_deliveries' && column === 'status'))
    const found: string[] = []
    const files = await readdir(SRC, { recursive: true })
    for (const file of files.filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))) {
      const text = await readFile(join(SRC, file), 'utf8')
      for (const { table, column } of columns)
        if (new RegExp(`\\b${table}\\b`).test(text))
          found.push(...comparedByValue(text, column).map((part) => `${file}: ${part}`))
    }
    assert.deepEqual([...new Set(found)], [])
  })
})
