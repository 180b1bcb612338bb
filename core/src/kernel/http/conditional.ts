/** The part of an answer by which a client knows whether it has changed. */
interface Tagged {
  status: number
  headers: Readonly<Record<string, string>>
}

/**
 * Whether the client says by `If-None-Match` that it has the representation of this ETag: `*`, or a list with it in weak
 * comparison (RFC 9110, 13.1.2). Node joins headers that were sent more than once.
 */
export function isKnown(etag: string, ifNoneMatch: string | undefined): boolean {
  const given = ifNoneMatch?.trim() ?? ''
  if (given === '*') return true
  // The tags of this server contain no comma, so that no part of another tag can look like one of them.
  return given.split(',').some((tag) => opaque(tag) === opaque(etag))
}

const opaque = (tag: string) => tag.trim().replace(/^W\//, '')

/** Whether a successful answer, or a part of one, need not be sent, because its `ETag` is one that the client names. */
export function isNotModified({ status, headers: { etag } }: Tagged, ifNoneMatch: string | undefined): boolean {
  return (status === 200 || status === 206) && etag !== undefined && isKnown(etag, ifNoneMatch)
}
