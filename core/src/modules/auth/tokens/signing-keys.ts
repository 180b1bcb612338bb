import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { createSigner, createVerifier } from 'fast-jwt'
import { type Core, type Ctx, newId } from '#kernel'
import type { PublicJwk, SigningKeyRow } from '../table.ts'
import { type KeyFacts, macOf } from './authentic-keys.ts'
import { insertSigningKey } from './key-queries.ts'

export const ALGORITHM = 'EdDSA' as const

export type Claims = Record<string, unknown>

/** A key ready for use. */
export interface RingKey {
  readonly id: string
  readonly publicJwk: PublicJwk
  readonly notBefore: number
  /** Milliseconds since the epoch; infinite for the newest. */
  readonly retireAt: number
  /** False for a key that another APP_SECRET has sealed. */
  readonly canSign: boolean
  /** Signs claims under a header of that type. */
  sign(typ: string, claims: Claims): string
  /** Claims of a token signed by this key under a header of that type; throws on anything else. Looks at no times. */
  verify(typ: string, token: string): Claims
}

/** Makes a key of a row. */
export function openKey(core: Core, row: SigningKeyRow): RingKey {
  const publicPem = pemOf(createPublicKey({ key: { ...row.public_jwk }, format: 'jwk' }))
  const privatePem = openPrivate(core, row)
  if (privatePem === undefined)
    core.log.warn({ kid: row.id }, 'a signing key does not open with APP_SECRET; it only verifies')
  // Made once for each type of token: reading a PEM key costs more than signing with it.
  const signers = new Map<string, (claims: Claims) => string>()
  const verifiers = new Map<string, (token: string) => Claims>()
  return {
    id: row.id,
    publicJwk: row.public_jwk,
    notBefore: Date.parse(row.not_before),
    retireAt: retirementOf(row),
    canSign: privatePem !== undefined,
    sign(typ, claims) {
      if (privatePem === undefined) throw new Error('This key can only verify')
      const signer = signers.get(typ) ?? signerOf(row.id, privatePem, typ)
      signers.set(typ, signer)
      return signer(claims)
    },
    verify(typ, token) {
      const verifier = verifiers.get(typ) ?? verifierOf(publicPem, typ)
      verifiers.set(typ, verifier)
      return verifier(token)
    },
  }
}

/** The private half; undefined when another APP_SECRET has sealed it. */
export function openPrivate({ secrets }: Core, row: SigningKeyRow): string | undefined {
  try {
    return secrets.openText(row.private_sealed, sealingContext(row.id))
  } catch {
    return undefined
  }
}

function signerOf(kid: string, privatePem: string, typ: string): (claims: Claims) => string {
  return createSigner({ algorithm: ALGORITHM, key: privatePem, kid, header: { alg: ALGORITHM, typ } })
}

/** Checks signature, algorithm and type; times are the caller's, who has the application's clock. */
function verifierOf(publicPem: string, typ: string): (token: string) => Claims {
  return createVerifier({
    key: publicPem,
    algorithms: [ALGORITHM],
    checkTyp: typ,
    ignoreExpiration: true,
    ignoreNotBefore: true,
  })
}

const pemOf = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }).toString()
/** When the key stops being worth anything, in milliseconds. */
export const retirementOf = (row: SigningKeyRow) =>
  row.retire_at === null ? Number.POSITIVE_INFINITY : Date.parse(row.retire_at)
export const sealingContext = (id: string) => `signing_key:${id}`

/** As the system role: makes the key that follows `newest` and signs from now on, unless another process has done so. */
export async function addSuccessor(ctx: Ctx, newest: SigningKeyRow | undefined): Promise<void> {
  await insertKey(ctx, (newest?.generation ?? 0) + 1, ctx.clock.now())
}

/** As the system role: makes a key; false when another process has made that generation first. */
export async function insertKey(ctx: Ctx, generation: number, notBefore: string): Promise<boolean> {
  const id = newId()
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const { kty, crv, x } = publicKey.export({ format: 'jwk' })
  if (kty !== 'OKP' || crv !== 'Ed25519' || x === undefined) throw new Error('An Ed25519 key has an unexpected form')
  const facts: KeyFacts = {
    id,
    generation,
    alg: ALGORITHM,
    public_jwk: { kty, crv, x },
    private_sealed: ctx.secrets.seal(privateKey.export({ type: 'pkcs8', format: 'pem' }), sealingContext(id)),
    created_at: ctx.clock.now(),
    not_before: notBefore,
    retire_at: null,
  }
  return insertSigningKey(ctx.tx, { ...facts, mac: macOf(ctx, facts) })
}
