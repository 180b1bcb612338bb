import { createHmac } from 'node:crypto'
import type { SecretBox } from '../secrets.ts'
import type { Values } from './redact.ts'

/** Stands for a value in a record: tells equal ones from others, and nothing of what they are. */
export type Hash = (name: string, value: unknown) => string

/** Keys recorded of one object; how many more there are is said. */
const MAX_KEYS = 50
const MAX_NAME = 64
const BYTES = 12

/**
 * What stands for values in a tenant's records. Keyed, because many a secret can be guessed; by tenant, so that two of
 * them never learn that they have the same.
 */
export function hashFor(secrets: SecretBox, tenantId: string | null): Hash {
  return (name, value) => {
    const mac = createHmac('sha256', secrets.derive('recorded values'))
    mac.update(JSON.stringify([tenantId, name, inOrder(value)]))
    return `hmac:${mac.digest().subarray(0, BYTES).toString('base64url')}`
  }
}

/** An object of which nothing is known: its keys, and what stands for the value of each. */
export function hashedKeys(values: Values, hash: Hash): Values {
  const entries = Object.entries(values)
  const shown = entries.slice(0, MAX_KEYS).map(([name, value]) => [short(name, hash), hash(name, value)])
  const more = entries.length - shown.length
  // Not assigned one by one: `__proto__` may be a key too.
  return Object.fromEntries(more > 0 ? [...shown, ['…', `${more} more`]] : shown)
}

/** A long key may be anything, a secret included. */
function short(name: string, hash: Hash): string {
  return name.length <= MAX_NAME ? name : `${name.slice(0, MAX_NAME / 2)}… ${hash('', name)}`
}

/** The same for objects that differ in nothing but the order of their keys. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder)
  if (typeof value !== 'object' || value === null) return value
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, inner]) => [name, inOrder(inner)])
}
