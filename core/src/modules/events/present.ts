import { type EventRow, type EventTable, eventBody } from '#kernel'
import type { Event } from './schema.ts'

/** An event as whoever follows gets it: the body of a webhook of it, with its id. */
export const presentEvent = (event: EventRow & Pick<EventTable, 'tenant_id'>): Event => ({
  id: event.id,
  ...eventBody(event),
})
