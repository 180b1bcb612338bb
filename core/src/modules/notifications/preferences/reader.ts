import type { Ctx, NotifiedPerson } from '#kernel'
import { tenantTimeZone } from '../../tenants/index.ts'
import { getUser } from '../../users/index.ts'

export const TIMEZONE_SOURCES = ['person', 'tenant', 'default'] as const // words on the wire

/** In what language, and by which clock, somebody reads. */
export interface Reader {
  locale: string
  timezone: string
  timezoneSource: (typeof TIMEZONE_SOURCES)[number]
}

/** What people have who never chose a zone. */
const NOT_CHOSEN = 'UTC'

/** The person, with the time zone by which they read. */
export const asReader = (person: NotifiedPerson, tenantZone: string): NotifiedPerson => ({
  ...person,
  timezone: readerOf(person, tenantZone).timezone,
})

/** The person's own time zone, else the tenant's, else UTC. */
export function readerOf(
  { locale, timezone }: Pick<NotifiedPerson, 'locale' | 'timezone'>,
  tenantZone: string,
): Reader {
  if (timezone !== NOT_CHOSEN) return { locale, timezone, timezoneSource: 'person' }
  return { locale, timezone: tenantZone, timezoneSource: tenantZone === NOT_CHOSEN ? 'default' : 'tenant' }
}

/** The signed-in person as a reader. */
export async function findReader(ctx: Ctx): Promise<Reader> {
  const [user, zone] = await Promise.all([getUser(ctx.tx, ctx.userId), ctx.setting(tenantTimeZone)])
  return readerOf(user, zone)
}
