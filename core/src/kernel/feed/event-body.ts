import Type, { type Static, type TSchema } from 'typebox'
import type { EventTable } from '../db/tables.ts'
import { Closed, Described, Nullable, OneOf, Timestamp, Uuid } from '../http/schemas.ts'

/** Who did something, as records and events show it. */
export const actorFields = {
  type: OneOf(['user', 'api_key', 'system', 'admin'], {
    description: 'A person, a program with a key, the server itself, or an operator of the installation',
  }),
  id: Nullable(Described(Uuid, 'Which one; null: nobody signed in, or the server itself')),
  label: Type.String({ description: 'The name at the time', examples: ['Ada Byron'] }),
  impersonator_id: Nullable(
    Type.String({ format: 'uuid', description: 'Who really acted, when an operator acted as this person' }),
  ),
}

const EventActor = Closed(actorFields, {
  title: 'EventActor',
  description: 'Who did it',
  examples: [{ type: 'user', id: '01926f3c-7b1e-7cc3-98c4-dc0c0c07398f', label: 'Ada Byron', impersonator_id: null }],
})

const AnyData = Type.Object(
  {},
  {
    additionalProperties: true,
    description: 'What it happened to, as the event describes it: as it is now, or as it was before it went',
    examples: [{ id: '01926f3c-7b1e-7cc3-98c4-dc0c0c07398f', name: 'Main' }],
  },
)

/** The fields of an event as it is sent, with data of this schema. */
export const bodyOf = <T extends TSchema>(data: T, type: TSchema = AnyType) => ({
  type: type as typeof AnyType, // a text, and perhaps only this one
  timestamp: Described(Timestamp, 'When it happened'),
  tenant_id: Described(Uuid, 'The tenant that it happened in'),
  store_id: Nullable(Described(Uuid, 'The store that it happened in; null: none in particular')),
  actor: EventActor,
  data,
})

const AnyType = Type.String({ description: 'What happened', examples: ['store.created'] })

/** An event as the body of a webhook. */
export const EventBody = Closed(bodyOf(AnyData), {
  title: 'EventBody',
  description: 'Something that happened, as it is sent',
})
export type EventBody = Static<typeof EventBody>

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
