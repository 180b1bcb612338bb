import pg from 'pg'
import type { TestCore } from '../src/testing/index.ts'

/** A digest of every table of the application. */
export async function contentOf({ database }: TestCore): Promise<Record<string, string>> {
  const client = new pg.Client({ connectionString: database.superuserUrl })
  await client.connect()
  try {
    const { rows } = await client.query<{ name: string }>(
      "select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname = 'core' order by 1",
    )
    const digest: Record<string, string> = {}
    for (const { name } of rows) {
      const { rows: found } = await client.query(
        `select md5(coalesce(string_agg(t::text, ' ' order by t::text), '')) as md5 from ${name} t`,
      )
      digest[name] = found[0].md5
    }
    return digest
  } finally {
    await client.end()
  }
}
