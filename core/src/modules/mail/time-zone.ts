/** What people have who never chose a time zone. */
const NOT_CHOSEN = 'UTC'

/** By whose clock somebody reads: their own time zone, else the tenant's; null: UTC. */
export const zoneOf = (own: string | null, tenantZone: string | null | undefined): string | null =>
  own === null || own === NOT_CHOSEN ? (tenantZone ?? own) : own
