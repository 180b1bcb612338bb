import { sha256, timeOfId, uuidOf } from '#kernel'

/**
 * The id of what a person is told of a kind because of `key` (an event, an announcement): the same each time, so that it is
 * there once at most. It carries the time of the key.
 */
export function noticeId(key: string, kind: string, userId: string): string {
  return uuidOf(timeOfId(key), sha256(`${key}:${kind}:${userId}`))
}
