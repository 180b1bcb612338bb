import { type Ctx, isUuid, notFound, sha256 } from '#kernel'
import { checkpointKeys } from '../audit/index.ts'
import { listCertificatesOf, listCertificatesOfSlug } from './certificate-queries.ts'
import type { RemovalCertificate, RemovalFacts } from './schema.ts'
import type { CertificateRow } from './table.ts'

/** The certificate of a tenant that is gone, of the last time where that was more than once. As the system role. Throws 404. */
export async function readCertificate(ctx: Ctx, tenantId: string): Promise<RemovalCertificate> {
  const [row] = await listCertificatesOf(ctx.tx, tenantId)
  if (!row) throw notFound()
  return presentCertificate(ctx, row)
}

/** Those of tenants with this id, or with this slug at their end. As the system role. */
export async function listCertificates(ctx: Ctx, name: string): Promise<RemovalCertificate[]> {
  const wanted = name.toLowerCase()
  const byId = isUuid(wanted) ? await listCertificatesOf(ctx.tx, wanted) : []
  const rows = byId.length > 0 ? byId : await listCertificatesOfSlug(ctx.tx, sha256(wanted))
  return rows.map((each) => presentCertificate(ctx, each))
}

function presentCertificate(ctx: Ctx, row: CertificateRow): RemovalCertificate {
  const { content, hash, key_id, public_key, signature } = row
  const key = ctx.use(checkpointKeys).all.find((each) => each.key_id === key_id)
  const facts = JSON.parse(content) as RemovalFacts // written by certify
  return {
    facts,
    content,
    sha256: hash.toString('hex'),
    signature: { kid: key_id, public_key, value: signature.toString('base64url') },
    // A certificate of another tenant proves nothing of this one.
    is_valid:
      facts.tenant_id === row.tenant_id && sha256(content).equals(hash) && (key?.verifies(hash, signature) ?? false),
  }
}
