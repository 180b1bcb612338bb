import assert from 'node:assert/strict'
import { defineFiles, defineModule } from '#kernel'
import type {
  Answered,
  SentFile,
  SentForm,
  TestCore,
  TestCoreOptions,
  TestPerson,
  TestTenant,
} from '../../testing/index.ts'
import { createTestCore } from '../../testing/index.ts'
import { builtinModules } from '../index.ts'

/** Paintings of a gallery, one in each store: two pictures of each at most, and small ones. */
export const gallery = defineModule({
  name: 'gallery',
  permissions: {
    'painting.view': { description: 'See paintings', scope: 'store', roles: ['admin', 'viewer'] },
    'painting.hang': { description: 'Change paintings', scope: 'store' },
  },
  files: [
    defineFiles('painting', {
      view: 'painting.view',
      change: 'painting.hang',
      find: async ({ tx, tenantId }, id) => {
        const store = await tx
          .selectFrom('stores')
          .select('id')
          .where('tenant_id', '=', tenantId)
          .where('id', '=', id)
          .executeTakeFirst()
        return store ? { storeId: store.id } : null
      },
      picturesOnly: true,
      maxFiles: 2,
      maxBytes: 100_000,
    }),
  ],
})

export const MiB = 1024 * 1024
/** What the tests' installation takes. */
export const MOST_BYTES = 8 * MiB

export const createFileCore = ({ env, ...options }: TestCoreOptions = {}): Promise<TestCore> =>
  createTestCore({
    modules: [...builtinModules, gallery],
    env: { FILE_UPLOAD_MAX_SIZE: String(MOST_BYTES), ...env },
    ...options,
  })

/** The smallest picture: eight bytes of a mark, and what belongs to it. */
export const PNG = Buffer.from(
  '89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360000002000001e221bc330000000049454e44ae426082',
  'hex',
)

export const text = (content: string | Buffer = 'Buy milk', name = 'note.txt'): SentFile => ({
  name,
  content,
  type: 'text/plain',
})
export const picture = (name = 'dot.png'): SentFile => ({ name, content: PNG, type: 'image/png' })

export const upload = (
  who: TestPerson,
  file: SentFile,
  fields: SentForm['fields'] = {},
  more: object = {},
): Promise<Answered> => who.request('POST', '/files', { form: { fields, file }, ...more })

export async function uploaded(who: TestPerson, file: SentFile = text(), fields: SentForm['fields'] = {}) {
  const answer = await upload(who, file, fields)
  assert.equal(answer.status, 201, answer.text)
  return answer.body
}

/** All that the installation holds of a tenant's files. */
export async function holdings({ core }: Pick<TestCore, 'core'>, tenantId: string) {
  const objects: string[] = []
  for (const folder of ['files', 'uploads'])
    for (const storage of core.storages.all)
      for await (const { key } of storage.list(`${folder}/${tenantId}`)) objects.push(key)
  const [row] = await core.db.systemQuery<{ files: number; uploads: number; used: number }>(
    `select (select count(*) from files where tenant_id = $1)::int as files,
       (select count(*) from file_uploads where tenant_id = $1)::int as uploads,
       coalesce((select sum(used) from limit_usage where tenant_id = $1 and limit_name = 'storage_bytes'), 0)::bigint as used`,
    [tenantId],
  )
  return { ...row, objects: objects.length }
}

export const NOTHING = { files: 0, uploads: 0, used: 0, objects: 0 }

/** The tenant holds nothing of any file, once jobs have run. */
export async function assertNothingLeft(
  test: TestCore,
  { id }: Pick<TestTenant, 'id'>,
  message?: string,
): Promise<void> {
  await test.drainJobs(id)
  assert.deepEqual(await holdings(test, id), NOTHING, message)
}

/** How much a tenant's plan lets it keep, in bytes. */
export async function setQuota({ core }: TestCore, { id }: Pick<TestTenant, 'id'>, bytes: number): Promise<void> {
  await core.db.systemQuery(
    `update subscriptions set plan_id = (select id from plans where code = 'free'), status = 'active', trial_ends_at = null where tenant_id = $1`,
    [id],
  )
  await core.db.systemQuery(`update plans set limits = limits || $1::jsonb where code = 'free'`, [
    JSON.stringify({ storage_bytes: bytes }),
  ])
}

/** Actions recorded of a file, oldest first. */
export async function historyOf({ core }: TestCore, fileId: string): Promise<string[]> {
  const rows = await core.db.systemQuery<{ action: string }>(
    'select action from audit_logs where resource_id = $1 order by id',
    [fileId],
  )
  return rows.map(({ action }) => action)
}

export const pointersOf = ({ body }: Answered): string[] =>
  body.errors?.map(({ pointer }: { pointer: string }) => pointer) ?? []
