import { createHmac } from 'node:crypto'
import type { SecretBox } from '../secrets.ts'
import type { Values } from './redact.ts'

/** A hash that is recorded in place of a value: equal values have equal hashes, and a hash reveals nothing else. */
export type Hash = (name: string, value: unknown) => string

/** Keys recorded per object; the number of further ones is recorded. */
const MAX_KEYS = 50
const MAX_NAME = 64
const BYTES = 12

/**
 * The hash for values in a tenant's records. It is keyed, because many values can be guessed, and differs by tenant, so
 * that tenants cannot compare theirs.
 */
export function hashFor(secrets: SecretBox, tenantId: string | null): Hash {
  return (name, value) => {
    const mac = createHmac('sha256', secrets.derive('recorded values'))
    mac.update(JSON.stringify([tenantId, name, inOrder(value)]))
    return `hmac:${mac.digest().subarray(0, BYTES).toString('base64url')}`
  }
}

/** Records an object without known fields: its keys and a hash of each value. */
export function hashedKeys(values: Values, hash: Hash): Values {
  const entries = Object.entries(values)
  const shown = entries.slice(0, MAX_KEYS).map(([name, value]) => [short(name, hash), hash(name, value)])
  const more = entries.length - shown.length
  // Not assigned one by one: `__proto__` may be a key too.
  return Object.fromEntries(more > 0 ? [...shown, ['…', `${more} more`]] : shown)
}

/** A long key may contain anything, a secret included, so it is hashed. */
function short(name: string, hash: Hash): string {
  return name.length <= MAX_NAME ? name : `${name.slice(0, MAX_NAME / 2)}… ${hash('', name)}`
}

/** Sorts keys, so that their order does not change the hash. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder)
  if (typeof value !== 'object' || value === null) return value
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, inner]) => [name, inOrder(inner)])
}
