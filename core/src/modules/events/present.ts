import type { EventTable } from '#kernel'
import type { Event, EventBody } from './schema.ts'

/** An event of a tenant, wherever in the feed it stands. */
export type EventRow = Omit<EventTable, 'tenant_id' | 'position'>

/** What is sent of an event: the body of its webhooks, byte by byte once it is written as JSON. */
export function eventBody(event: EventRow & Pick<EventTable, 'tenant_id'>): EventBody {
  return {
    type: event.type,
    timestamp: event.created_at,
    tenant_id: event.tenant_id,
    store_id: event.store_id,
    actor: {
      type: event.actor_type,
      id: event.actor_id,
      label: event.actor_label,
      impersonator_id: event.impersonator_id,
    },
    data: event.data as EventBody['data'], // an object: written from one by the publisher
  }
}

/** The same with its id, as whoever follows gets it. */
export const presentEvent = (event: EventRow & Pick<EventTable, 'tenant_id'>): Event => ({
  id: event.id,
  ...eventBody(event),
})
