import { Closed, Described, Nullable, OneOf, OwnId, type Static, Timestamp, Type, Uuid } from '#kernel'

const EventActor = Closed(
  {
    type: OneOf(['user', 'api_key', 'system', 'admin'], {
      description: 'A person, a program with a key, the server itself, or an operator of the installation',
    }),
    id: Nullable(Described(Uuid, 'Which one; null: nobody signed in, or the server itself')),
    label: Type.String({ description: 'The name at the time', examples: ['Ada Byron'] }),
    impersonator_id: Nullable(
      Type.String({ format: 'uuid', description: 'Who really acted, when an operator acted as this person' }),
    ),
  },
  { title: 'EventActor', description: 'Who did it' },
)

const body = {
  type: Type.String({ description: 'What happened', examples: ['store.created'] }),
  timestamp: Described(Timestamp, 'When it happened'),
  tenant_id: Described(Uuid, 'The tenant that it happened in'),
  store_id: Nullable(Described(Uuid, 'The store that it happened in; null: none in particular')),
  actor: EventActor,
  data: Type.Object(
    {},
    {
      additionalProperties: true,
      description: 'What it happened to, as the event describes it: as it is now, or as it was before it went',
      examples: [{ id: '01926f3c-7b1e-7cc3-98c4-dc0c0c07398f', name: 'Main' }],
    },
  ),
}

/** An event as the body of a webhook. */
export const EventBody = Closed(body, { title: 'EventBody', description: 'Something that happened, as it is sent' })
export type EventBody = Static<typeof EventBody>

export const Event = Closed(
  { id: Described(OwnId, 'Its id: that of the `webhook-id` which a webhook of it carries'), ...body },
  { title: 'Event', description: 'Something that happened' },
)
export type Event = Static<typeof Event>
