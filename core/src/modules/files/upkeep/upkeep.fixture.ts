import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { type Backend, newId } from '#kernel'
import { envOf, type S3Server } from '../../../kernel/storage/s3-server.fixture.ts'
import type { TestCore, TestPerson } from '../../../testing/index.ts'

/** The settings of a core with both storages. */
export const bothStorages = (server: S3Server, backend: Backend): Record<string, string> => ({
  FILE_STORAGE_BACKEND: backend,
  ...envOf(server),
})

/** Uploads a file; what the answer says of it. */
export async function upload(person: TestPerson, content = `content ${newId()}`, fields: object = {}) {
  const file = { name: 'note.txt', content, type: 'text/plain' }
  const { status, body, text } = await person.request('POST', '/files', { form: { fields: { ...fields }, file } })
  assert.equal(status, 201, text)
  return body
}

export const keyOf = (tenantId: string, id: string): string => `files/${tenantId}/${id}`

export async function* text(content: string): AsyncGenerator<Buffer> {
  yield Buffer.from(content)
}

/** All keys that a storage has. */
export async function keysOf({ core }: TestCore, backend: Backend, folder = ''): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of core.storages.of(backend).list(folder)) keys.push(key)
  return keys
}

/** Bytes of the quota in use, as the tenant is told. */
export async function usedBytes(person: TestPerson): Promise<number> {
  const { body } = await person.get('/subscriptions/current/usage')
  return body.storage_bytes.used
}

/** Rows of files as a storage would have them, by one statement: for what takes many. */
export async function insertFiles({ core }: TestCore, tenantId: string, ids: readonly string[], content: string) {
  const sha256 = createHash('sha256').update(content).digest('hex')
  await core.db.systemQuery(
    `insert into files (tenant_id, id, filename, original_filename, content_type, size, checksum_sha256, storage_backend,
       storage_path, scan_status, created_at, updated_at)
     select $1::uuid, id, 'note.txt', 'note.txt', 'text/plain', $3, $4, 'local', 'files/' || $1::uuid::text || '/' || id::text, 'none', $5, $5
       from unnest($2::uuid[]) as id`,
    [tenantId, ids, content.length, sha256, core.clock.now()],
  )
}
