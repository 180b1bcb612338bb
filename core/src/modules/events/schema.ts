import { Closed, Described, EventBody, OwnId, type Static, Type } from '#kernel'
import { MAX_PATTERNS_LENGTH } from './patterns.ts'

export const Event = Closed(
  {
    id: Described(OwnId, 'Its id: that of the `webhook-id` which a webhook of it carries'),
    ...EventBody.properties,
  },
  { title: 'Event', description: 'Something that happened' },
)
export type Event = Static<typeof Event>

export const EventQuery = Closed({
  after: Type.Optional(
    Type.String({
      maxLength: 500,
      description:
        '`next_cursor` of the answer before; `now`: nothing, and the cursor of now. Left out: from the oldest event that is kept. With a cursor go the same `types` and `store_id`',
      examples: ['now'],
    }),
  ),
  types: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: MAX_PATTERNS_LENGTH,
      description: 'These events alone: names and patterns such as `store.*`, with commas between; `*` is all',
      examples: ['store.*,user.created'],
    }),
  ),
  store_id: Type.Optional(Type.String({ format: 'uuid', description: 'Those of this store alone' })),
  wait: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 30,
      default: 0,
      description: 'Where there is none: waits for one, so many seconds at most',
      examples: [0],
    }),
  ),
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 100, default: 20, description: 'Events of an answer, at most' }),
  ),
})
export type EventQuery = Static<typeof EventQuery>

export const EventPage = Closed(
  {
    data: Type.Array(Event, { description: 'Oldest first' }),
    next_cursor: Type.String({
      description:
        'Give it as `after` for what comes next, at once or some days later. It is there even if nothing has come',
      examples: ['bm90LWEtcmVhbC10b2tlbg'],
    }),
  },
  { title: 'EventPage', description: 'Some events, and where to go on' },
)
export type EventPage = Static<typeof EventPage>
