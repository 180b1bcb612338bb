import { createHmac } from 'node:crypto'
import { type Core, equalSecrets } from '#kernel'
import type { SigningKeyRow } from '../table.ts'

/** All of a key's row that anybody goes by. */
export type KeyFacts = Omit<SigningKeyRow, 'mac'>

/** Proves that a row was written by who knows APP_SECRET. Whoever can write into the database alone cannot make it. */
export function macOf({ secrets }: Pick<Core, 'secrets'>, facts: KeyFacts): string {
  return macWith(secrets.derive(PURPOSE), facts)
}

/** Whether the row says what somebody wrote who knows APP_SECRET, or one of APP_SECRET_PREVIOUS. */
export function isAuthentic({ secrets }: Pick<Core, 'secrets'>, row: SigningKeyRow): boolean {
  const { mac, ...facts } = row
  return mac !== null && secrets.deriveAll(PURPOSE).some((key) => equalSecrets(mac, macWith(key, facts)))
}

const PURPOSE = 'signing key rows'

function macWith(key: Buffer, { id, generation, alg, public_jwk, private_sealed, ...dates }: KeyFacts): string {
  const { kty, crv, x } = public_jwk
  const times = [dates.created_at, dates.not_before, dates.retire_at].map((time) => time && Date.parse(time))
  const said = JSON.stringify([id, generation, alg, kty, crv, x, private_sealed, ...times])
  return createHmac('sha256', key).update(said).digest('base64url')
}
