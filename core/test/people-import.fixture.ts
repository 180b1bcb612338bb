import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createTestCore, type TestCore } from '../src/testing/index.ts'
import { cleanUp, makeFolder } from './run-cli.ts'
import { runInProcess } from './run-in-process.ts'

/** A core, and a command line beside it on the same database. */
export async function openImportPlace() {
  const t = await createTestCore()
  const { appUrl, systemUrl, ownerUrl } = t.database
  const env = {
    ...{ DATABASE_URL: appUrl, DATABASE_SYSTEM_URL: systemUrl, DATABASE_OWNER_URL: ownerUrl },
    ...{ DATA_DIR: t.dataDir, NODE_ENV: 'test', LOG_LEVEL: 'silent' },
    APP_SECRET: 'a-secret-of-this-test-alone-0123456789',
  }
  const folder = await makeFolder()
  let files = 0
  /** Writes a file; returns its path. */
  const write = async (content: string | Buffer, extension = 'ndjson') => {
    const path = join(folder, `${++files}.${extension}`)
    await writeFile(path, content)
    return path
  }
  return {
    t,
    env,
    folder,
    write,
    run: (command: string) => runInProcess(`people import ${command}`, { env }),
    /** Imports these objects, or this text of CSV. */
    take: async (people: readonly object[] | string, options = '') =>
      typeof people === 'string'
        ? runInProcess(`people import ${await write(people, 'csv')} ${options}`, { env })
        : runInProcess(`people import ${await write(ndjson(people))} ${options}`, { env }),
    close: async () => {
      await cleanUp()
      await t.close()
    },
  }
}

export const ndjson = (people: readonly object[]) => people.map((person) => `${JSON.stringify(person)}\n`).join('')

/** Everything that imports write, without ids and times. */
export async function everything({ core }: TestCore) {
  const rows = (sql: string) => core.db.systemQuery<Record<string, unknown>>(sql)
  return {
    people: await rows(
      `select u.email, u.name, u.locale, u.timezone, u.status, u.email_verified_at is not null as verified, p.hash
       from users u left join user_passwords p on p.user_id = u.id order by u.email`,
    ),
    members: await rows(
      `select s.slug, u.email, m.name, m.status, array_agg(r.name order by r.name) as roles, count(d.user_id)::int as listed
       from members m join users u on u.id = m.id join tenant_slugs s on s.tenant_id = m.tenant_id
       left join role_assignments a on a.tenant_id = m.tenant_id and a.user_id = m.id
       left join roles r on r.tenant_id = m.tenant_id and r.id = a.role_id
       left join user_tenants d on d.tenant_id = m.tenant_id and d.user_id = m.id
       group by 1, 2, 3, 4 order by 1, 2`,
    ),
    records: await rows(
      `select action, resource_label, actor_type, count(*)::int from (
         select action, resource_label, actor_type from audit_logs union all
         select action, resource_label, actor_type from global_audit_logs) a group by 1, 2, 3 order by 1, 2, 3`,
    ),
  }
}
