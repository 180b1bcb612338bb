import { createHmac } from 'node:crypto'
import { networkOf } from '../addresses/networks.ts'
import type { Identity } from '../http/identify.ts'
import type { SecretBox } from '../secrets.ts'
import { normalizeEmail } from '../text/email.ts'

/** Clients whose address could not be read: together they have one count. */
const UNKNOWN = 'unknown'
const NETWORKS_KEPT = 1_000
const PURPOSE = 'rate-limits'

/** Whom requests are counted for, each as the text that its counts are kept under. */
export interface Subjects {
  /** The network of an address: an IPv4 address, or the /64 of an IPv6 one. */
  network(address: string | null): string
  person(identity: Identity): string
  tenant(identity: Identity): string
  /** A keyed hash, so that no store holds an e-mail address. */
  account(email: string, address: string | null): string
}

export function createSubjects(secrets: SecretBox): Subjects {
  const networks = new Map<string, string>()
  const key = secrets.derive(PURPOSE)

  const network = (address: string | null): string => {
    if (address === null) return UNKNOWN
    if (!address.includes(':')) return address
    let found = networks.get(address)
    if (found === undefined) {
      found = networkOf(address, { v4: 32, v6: 64 }) ?? UNKNOWN
      if (networks.size >= NETWORKS_KEPT) networks.clear()
      networks.set(address, found)
    }
    return found
  }
  // Whoever acts as somebody else uses up no requests of theirs.
  const person = ({ principal }: Identity) =>
    principal.actor.impersonatorId ?? principal.apiKeyId ?? principal.userId ?? principal.key

  return {
    network,
    person,
    tenant: (identity) => identity.principal.tenantId ?? person(identity),
    account: (email, address) =>
      createHmac('sha256', key)
        .update(JSON.stringify([normalizeEmail(email) ?? email, network(address)]))
        .digest('base64url'),
  }
}
