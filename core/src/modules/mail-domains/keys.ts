import { createPrivateKey, generateKeyPair } from 'node:crypto'
import { promisify } from 'node:util'
import type { Core, Ctx, SealedKind } from '#kernel'
import { otherSlot } from './records.ts'
import type { DomainRow, Slot } from './table.ts'

const generate = promisify(generateKeyPair)

/** Both halves as they are stored: the public one as DNS shows it, the private one in PEM. */
export interface KeyPair {
  public: string
  private: string
}

/**
 * RSA with 2048 bits. Ed25519 (RFC 8463) would be smaller, but large receivers do not check it, so that a mail signed with
 * it alone counts as unsigned there; longer RSA keys do not fit into what some DNS panels take.
 */
export async function newKeyPair(): Promise<KeyPair> {
  const { publicKey, privateKey } = await generate('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  return { public: publicKey.toString('base64'), private: privateKey }
}

/** The columns of a key. */
export function columnsOfKey({ secrets }: Pick<Ctx, 'secrets'>, id: string, slot: Slot, pair: KeyPair) {
  const sealed = secrets.seal(pair.private, sealContext(id, slot))
  return slot === 1 ? { public_1: pair.public, private_1: sealed } : { public_2: pair.public, private_2: sealed }
}

/** The key that signs, in PEM. Throws for one that cannot be opened or read: a mail must not leave with a broken signature. */
export function openSigningKey({ secrets }: Pick<Ctx, 'secrets'>, row: DomainRow): string {
  const pem = secrets.openText(row[`private_${row.signing}`], sealContext(row.id, row.signing))
  createPrivateKey(pem)
  return pem
}

/** The keys that an earlier secret sealed, sealed by the current one; null: there is none. */
export function resealed(
  { secrets }: Pick<Ctx, 'secrets'>,
  row: DomainRow,
): Pick<DomainRow, 'private_1' | 'private_2'> | null {
  if (!secrets.isStale(row.private_1) && !secrets.isStale(row.private_2)) return null
  const again = (slot: Slot) => {
    const context = sealContext(row.id, slot)
    return secrets.seal(secrets.openText(row[`private_${slot}`], context), context)
  }
  return { private_1: again(1), private_2: again(otherSlot(1)) }
}

/** For `tenantry doctor`: some keys of domains. */
export const sealedKeys: SealedKind = {
  name: 'keys of mail domains',
  async samples({ db }: Core) {
    const rows = await db.systemQuery<Pick<DomainRow, 'id' | 'private_1' | 'private_2'>>(
      `(select id, private_1, private_2 from mail_domains order by tenant_id limit 2)
       union (select id, private_1, private_2 from mail_domains order by tenant_id desc limit 2)`,
    )
    return rows.flatMap(({ id, private_1, private_2 }) => [
      { sealed: private_1, context: sealContext(id, 1) },
      { sealed: private_2, context: sealContext(id, 2) },
    ])
  },
}

const sealContext = (id: string, slot: Slot) => `mail_domain:${id}:${slot}`
