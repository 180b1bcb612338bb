import type { TestCore, TestTenant } from '../../testing/index.ts'
import { getSystemRole, type SystemRoleKey } from '../roles/index.ts'

/** The id of a built-in role. */
export const roleId = ({ id, run }: TestTenant, key: SystemRoleKey): Promise<string> =>
  run(async ({ tx }) => (await getSystemRole(tx, id, key)).id)

/** Sends the tenant's waiting mails and gives the token in the latest one to that address. */
export async function readToken(test: TestCore, { id }: TestTenant, to: string): Promise<string> {
  await test.drainJobs(id)
  const [mail] = await test.mails(to)
  const token = /\?token=([^\s]+)/.exec(mail?.text ?? '')?.[1]
  if (!token) throw new Error(`No mail with a token came for ${to}`)
  return decodeURIComponent(token)
}

/** The names of what was recorded in a tenant, oldest first, after an id; sign-ins are left out. */
export async function recorded({ id, run }: TestTenant, since: string): Promise<string[]> {
  const rows = await run(({ tx }) =>
    tx
      .selectFrom('audit_logs')
      .select('action')
      .where('tenant_id', '=', id)
      .where('id', '>', since)
      .where('action', 'not like', 'auth.%')
      .orderBy('id')
      .execute(),
  )
  return rows.map(({ action }) => action)
}
