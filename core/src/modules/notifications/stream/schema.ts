import { Closed, Type, Uuid } from '#kernel'

export const StreamHeaders = Closed({
  'last-event-id': Type.Optional(
    Type.Unsafe<string>({
      ...Uuid,
      description: 'The last notification that came: the stream goes on behind it. Browsers send it by themselves',
    }),
  ),
})

export const StreamQuery = Closed({
  wait: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 3600,
      description:
        'Ends after so many seconds; `0`: once all that is there was sent. Default: when the access token is about to expire',
      examples: [300],
    }),
  ),
})

const EXAMPLE = [
  'id: 0199a3d0-4f2e-7c31-9a51-5b8f0c2d7e11',
  'event: notification',
  'data: {"id": "0199a3d0-4f2e-7c31-9a51-5b8f0c2d7e11", "kind": "user.joined", "title": "Eve has joined"}',
  '',
  'event: unread',
  'data: {"unread_count": 1}',
  '',
  '',
].join('\n')

/** Server-sent events. */
export const EventStreamText = Type.Unsafe<never>({
  type: 'string',
  description:
    'Server-sent events: `notification` with the id and a Notification, `unread` with an UnreadCount, `end` with `code` and `detail`',
  examples: [EXAMPLE],
})
