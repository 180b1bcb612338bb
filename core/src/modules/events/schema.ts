import { Closed, Described, EventBody, OwnId, type Static } from '#kernel'

export const Event = Closed(
  {
    id: Described(OwnId, 'Its id: that of the `webhook-id` which a webhook of it carries'),
    ...EventBody.properties,
  },
  { title: 'Event', description: 'Something that happened' },
)
export type Event = Static<typeof Event>
