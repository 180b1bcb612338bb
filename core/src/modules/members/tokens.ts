import { hashToken, randomToken } from '#kernel'

/**
 * A new invitation token. It begins with the tenant, so that the row can be looked up inside that tenant; only the hash
 * of the whole is stored.
 */
export function newInvitationToken(tenantId: string): { token: string; hash: Buffer } {
  const token = `${tenantId.replaceAll('-', '')}.${randomToken()}`
  return { token, hash: hashToken(token) }
}

const TOKEN = /^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})\.[\w-]{43}$/

/** The tenant in a token and the hash to look it up by; null when the text is no invitation token. */
export function splitInvitationToken(token: string): { tenantId: string; hash: Buffer } | null {
  const parts = TOKEN.exec(token)
  return parts && { tenantId: parts.slice(1).join('-'), hash: hashToken(token) }
}
