import { type Notice, type NotificationDefinition, newId } from '#kernel'
import type { TestCore, TestPerson, TestTenant } from '../../testing/index.ts'
import { announcementNotice } from './kinds.ts'

/** Tells people of a tenant, and has it done. */
export async function tellPeople<T>(
  test: TestCore,
  tenantId: string,
  kind: NotificationDefinition<T>,
  notice: Notice<T>,
): Promise<void> {
  await test.core.run((ctx) => ctx.notify(kind, notice), { tenantId })
  await test.drainJobs(tenantId)
}

/** Announces something to everybody of a tenant; gives its title. */
export async function announce(test: TestCore, tenantId: string, title = `News ${newId()}`): Promise<string> {
  await tellPeople(test, tenantId, announcementNotice, { data: { title, message: 'Read this.' } })
  return title
}

/** What a person finds in their list. */
export async function listOf(person: TestPerson, query = ''): Promise<Listed[]> {
  return (await person.get(`/notifications?limit=100${query}`)).body.data
}

export interface Listed {
  id: string
  kind: string
  type: string
  title: string
  message: string
  data: Record<string, unknown> & { actions: { name: string; route: string | null; link: string | null }[] }
  read_at: string | null
}

export const badgeOf = async (person: TestPerson): Promise<number> =>
  (await person.get('/notifications/unread-count')).body.unread_count

/** How many a recount finds, which the badge must say too. */
export async function recount(test: TestCore, tenantId: string, userId: string): Promise<number> {
  const [row] = await test.core.db.systemQuery<{ n: number }>(
    `select count(*)::int as n from notifications n join notification_counts c on c.tenant_id = n.tenant_id and c.id = n.user_id
     where n.tenant_id = $1 and n.user_id = $2 and n.seq is not null and n.read_at is null and n.seq > c.read_to
       and (n.expires_at is null or n.expires_at > $3)`,
    [tenantId, userId, test.clock.now()],
  )
  return row?.n ?? 0
}

/** A tenant with a second owner's eyes: an administrator. */
export const administratorOf = (tenant: TestTenant): Promise<TestPerson> => tenant.member({ role: 'admin' })
